"""What no field accepts, by the kind of the field: as raw JSON, and as text of a form or query."""

import re
from collections.abc import Iterator
from decimal import Decimal

from tests.contract.operations import Schema

Named = Iterator[tuple[str, bytes]]

UUID = b"6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90"
NOT_UUIDS = {
    "a number": b"5",
    "a URN": b"urn:uuid:" + UUID,
    "braces": b"{" + UUID + b"}",
    "no dashes": UUID.replace(b"-", b""),
    "too short": UUID[:-1],
    "Arabic digits": UUID.replace(b"0", "٠".encode()),
    "a blank after it": UUID + b" ",
    "a line break after it": UUID + b"\\n",
}
NOT_MOMENTS = {
    "a word": b"yesterday",
    "the 13th month": b"2026-13-01T00:00:00Z",
    "the 25th hour": b"2026-01-01T25:00:00Z",
    "before time": b"0001-01-01T00:00:00+14:00",
    "after time": b"9999-12-31T23:59:59-14:00",
    "five digits of a year": b"10000-01-01T00:00:00Z",
    "Arabic digits": "٢٠٢٦-01-01T00:00:00Z".encode(),
    "underscores": b"2026-01-0_1T00:00:00Z",
    "a number": b"1753470000",
}
BAD_BYTES = {
    "no UTF-8": b"\xff",
    "a surrogate in UTF-8": b"\xed\xa0\x80",
    "an overlong NUL": b"\xc0\x80",
}
# Breaks a rule of every pattern in use.
MISFITS = (" ", "имя пользователя", "\t\t\t\t\t\t\t\t", "١٢٣٤٥٦٧٨", "abcdefgh\n", "12345678\n")


def json_values(schema: Schema) -> Named:
    """Raw JSON texts, among them some that are no JSON at all."""
    yield from _not_json()
    kind = schema["type"]
    if not schema.get("nullable"):
        yield "null", b"null"
    for other in {"string", "integer", "number", "boolean", "array", "object"} - {kind}:
        yield from _of_kind(other, but=kind)
    if kind in ("integer", "number"):
        yield from _numbers(schema)
    elif kind == "string":
        for name, text in _texts(schema):
            yield name, b'"' + text.replace(b"\n", b"\\n").replace(b"\t", b"\\t") + b'"'
    elif kind == "array":
        yield from _arrays(schema)


def form_values(schema: Schema) -> Named:
    """Texts, to be percent-encoded: a form has nothing else."""
    yield "NUL", b"\x00"
    yield "NUL in it", b"1\x001"
    yield from BAD_BYTES.items()
    match schema:
        case {"type": "integer" | "number"}:
            yield from _spelled_numbers(schema)
        case {"type": "boolean"}:
            yield from ((word, word.encode()) for word in ("yes", "2", "-1", "tru", "١", "null"))
        case {"type": "string"}:
            yield from ((name, text) for name, text in _texts(schema) if text)


def _not_json() -> Named:
    for text in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E+2", "1_0", "٣", "0x10"):
        yield text, text.encode()
    for text in ("01", "+1", "1.", ".5", "undefined", "True", "'x'", '"\n"', '"\\x41"', ""):
        yield repr(text), text.encode()
    yield "NUL", b'"\\u0000"'
    yield "a raw NUL", b'"\x00"'
    yield "half a character", b'"\\ud800"'
    yield "the other half", b'"x\\udc00"'
    yield "halves in the wrong order", b'"\\udc00\\ud800"'
    yield "100,000 brackets", b"[" * 100_000 + b"]" * 100_000
    yield "100,000 objects", b'{"a":' * 40_000 + b"1" + b"}" * 40_000
    yield "33 brackets", b"[" * 33 + b"]" * 33
    yield "a key twice", b'{"a": 1, "a": 1}'
    for name, text in BAD_BYTES.items():
        yield name, b'"' + text + b'"'


def _of_kind(kind: str, *, but: str) -> Named:
    texts = {
        "string": (b'"x"', b'""', b'"5"', b'"1_0"', '"٣"'.encode(), b'"true"', b'"null"', b'"NaN"'),
        "integer": (b"5", b"0", b"-1", b"9" * 30, b"9" * 5000),
        "number": (b"1.5", b"-0.0"),
        "boolean": (b"true", b"false"),
        "array": (b"[]", b"[5]", b'["x"]', b"[null]", b"[[]]"),
        "object": (b"{}", b'{"x": 1}', b'{"0": 1}'),
    }
    if {kind, but} != {"integer", "number"} or but == "integer":
        yield from ((f"{kind} {text[:10]!r}", text) for text in texts[kind])


def _numbers(schema: Schema) -> Named:
    for text in _out_of_range(schema):
        yield text, text.encode()
    yield "thousands of digits", b"9" * 5000
    yield "200,000 digits", b"9" * 200_000
    if schema["type"] == "number":
        yield "200,000 decimals", b"1." + b"3" * 200_000
        yield from ((text, text.encode()) for text in ("0.001", "10.999", "10.0000000001"))


def _spelled_numbers(schema: Schema) -> Named:
    for text in (*_out_of_range(schema), "x", "1_0", "٣", "3٣", "0x10", "1e2", "1E400", "NaN"):
        yield text, text.encode()
    for text in ("Infinity", "-Infinity", "inf", " ", "1 0", "true", "null", "--1", "+ 1", "1,5"):
        yield text, text.encode()
    yield "thousands of digits", b"9" * 5000
    more = ("0.001", "10.999", "1.") if schema["type"] == "number" else ("1.5", "1.0")
    yield from ((text, text.encode()) for text in more)


def _out_of_range(schema: Schema) -> Iterator[str]:
    """Just outside, and far outside."""
    step = Decimal("0.01") if schema["type"] == "number" else 1
    if "maximum" in schema:
        yield from (str(Decimal(schema["maximum"]) + step), "9" * 30)
    if "minimum" in schema:
        yield from (str(Decimal(schema["minimum"]) - step), "-" + "9" * 30)


def _texts(schema: Schema) -> Named:
    if (least := schema.get("minLength", 0)) > 0:
        yield "too short", b"x" * (least - 1)
    if "maxLength" in schema:
        yield "too long", b"1" * (schema["maxLength"] + 1)
        yield "much too long", b"1" * 100_000
        yield "too long in Russian", "я".encode() * (schema["maxLength"] + 1)
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"].replace("$", r"\Z"), re.ASCII)
        yield from ((repr(text), text.encode()) for text in MISFITS if not pattern.search(text))
    if "enum" in schema:
        words = ("NOWHERE", schema["enum"][0].swapcase(), schema["enum"][0] + " ", "None", "True")
        yield from ((repr(word), word.encode()) for word in words)
    if schema.get("format") == "uuid":
        yield from NOT_UUIDS.items()
    if schema.get("format") == "date-time":
        yield from NOT_MOMENTS.items()


def _arrays(schema: Schema) -> Named:
    if schema.get("minItems"):
        yield "an empty list", b"[]"
    yield "a list of nothing", b"[null]"
    yield "lists of lists", b"[[[]]]"
    yield "words", b'["x"]'
    yield "too many", b"[" + b",".join([b"{}"] * (schema["maxItems"] + 1)) + b"]"
    yield "80,000 empty ones", b"[" + b",".join([b"{}"] * 80_000) + b"]"
