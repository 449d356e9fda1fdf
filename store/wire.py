"""JSON as it crosses the wire: strict on the way in, orjson on the way out."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import orjson

from store.errors import Invalid

MAX_DEPTH = 32
EXACT_AS_FLOAT = 1e13  # kopecks up to here are 15 digits, which every binary float keeps
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS


class Malformed(Invalid):
    code = "malformed"
    detail = "The body is not valid JSON."


def encode(data: object) -> bytes:
    """UTF-8 JSON; knows Decimal (a number), datetime (``...Z``), UUID and Enum."""
    return orjson.dumps(data, default=_number, option=_OPTIONS)


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, as in the answers: ``2026-07-25T19:00:00.000005Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decode(body: bytes) -> Any:
    """The JSON value of ``body``; numbers with a point become Decimal.

    Refuses what lenient parsers let through: duplicate keys, NaN and Infinity, exponents,
    more than 32 levels, bytes that are no UTF-8, lone surrogates.
    """
    try:
        value = _DECODER.decode(text_of(body))
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error}.") from None
    except ValueError:
        raise Malformed("A number in the body has thousands of digits.") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    if _SURROGATE.search(body):
        _check_text(value)
    return value


def text_of(body: bytes) -> str:
    """Raises Malformed for bytes that are no UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None


def _number(value: object) -> float | orjson.Fragment:
    if isinstance(value, Decimal):
        number = float(value)
        if -EXACT_AS_FLOAT < number < EXACT_AS_FLOAT:
            return number
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _decimal(text: str) -> Decimal:
    # 1e400 is a valid JSON number, and infinity in most parsers: nobody needs it here.
    if "e" in text or "E" in text:
        raise Malformed("Numbers with an exponent are not accepted.")
    return Decimal(text)


def _refuse(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a JSON number.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("A key stands twice in one object.")
    return members


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    if any(isinstance(innermost, dict | list) for innermost in level):
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_text(value: object) -> None:
    """Half a character, which only an escape can spell, could be neither stored nor answered."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise Malformed("The body has a lone surrogate.") from None


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DECODER = json.JSONDecoder(parse_float=_decimal, parse_constant=_refuse, object_pairs_hook=_unique)
