"""Bodies that are wrong as a whole, sent to each operation: a 4xx, and nothing changes."""

import gzip
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contract.examples import Example, example
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.world import Things, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MIB = 1024 * 1024
BOMB = gzip.compress(b" " * 10 * MIB)
KEYS = ["", " ", "x" * 256, "two words", "tab\tbed", '"', '""', '"open', "ключ", "\x00", "\x7f"]

# What changes some fields may change none.
CHANGES = {"catalog PUT /products/{product_id}", "accounts PUT /users/me"}

Attack = tuple[str, str, bytes]

TAKING = [each for each in OPERATIONS if each.takes_a_body]
WITH_FIELDS = [each for each in TAKING if each.body]
OTHERS = [each for each in OPERATIONS if not each.takes_a_body and not each.is_stream]
KEYED = [each for each in OPERATIONS if "Idempotency-Key" in each.headers]


def name_of(operation: Operation) -> str:
    return operation.name


def attacks(good: bytes) -> Iterator[Attack]:
    """Name, media type and bytes of a body; ``good`` is what the operation takes."""
    for text in ("[]", "[{}]", '"x"', "5", "null", "true", "[" + good.decode() + "]"):
        yield text[:10], JSON, text.encode()
    for text in ("{", "{}}", "{'a': 1}", '{"a": 1,}', '{"a" 1}', "{a: 1}", '{"a": NaN}', "<a/>"):
        yield text, JSON, text.encode()
    yield "something after it", JSON, good + b" {}"
    yield "a comment", JSON, good + b" // more"
    yield "cut off", JSON, good[:-1]
    yield "a byte order mark", JSON, b"\xef\xbb\xbf" + good
    yield "UTF-16", JSON, good.decode().encode("utf-16")
    yield "UTF-32", f"{JSON}; charset=utf-32", good.decode().encode("utf-32")
    yield "NUL bytes", JSON, b"\x00" * 100
    yield "no UTF-8", JSON, b'{"a": "\xff"}'
    yield "half a character", JSON, b'{"a": "\\ud800"}'
    yield "half a character for a key", JSON, b'{"\\udfff": 1}'
    yield "one key twice", JSON, b'{"a": 1, "a": 1}'
    yield "a key twice, once escaped", JSON, b'{"a": 1, "\\u0061": 2}'
    yield "a key twice further in", JSON, b'{"a": [{"b": {"c": 1, "c": 2}}]}'
    yield "an exponent", JSON, b'{"a": 1e400}'
    yield "100,000 brackets", JSON, b"[" * 100_000 + b"]" * 100_000
    yield "100,000 open brackets", JSON, b"[" * 100_000
    yield "33 objects", JSON, b'{"a":' * 33 + b"1" + b"}" * 33
    yield "packed", JSON, gzip.compress(good)
    yield "10 MiB packed small", JSON, BOMB
    yield "a number of 200,000 digits", JSON, b'{"a": ' + b"9" * 200_000 + b"}"


def form_attacks(good: bytes) -> Iterator[Attack]:
    for kind in ("text/plain", "application/xml", "application/octet-stream", "text/html", "x", ""):
        yield f"as {kind!r}", kind, good
    for kind in (f"{JSON}-patch+json", f"{MULTIPART}; boundary=", f"{MULTIPART}", "/", "é/é"):
        yield f"as {kind!r}", kind, good
    for kind in (JSON, FORM, MULTIPART):
        yield f"{kind} in no encoding", f"{kind}; boundary*=nonsense''x", good
    yield "no UTF-8", FORM, b"a=%FF"
    yield "1,001 fields", FORM, b"&".join(b"a%d=1" % number for number in range(1001))
    yield "JSON as multipart", f"{MULTIPART}; boundary=x", good
    yield "multipart cut off", f"{MULTIPART}; boundary=x", b"--x\r\nContent-Disposition: form"
    yield "a part that is no UTF-8", f"{MULTIPART}; boundary=x", _part(b'name="a"', b"\xff")
    yield "a file", f"{MULTIPART}; boundary=x", _part(b'name="a"; filename="a"', b"\xff\x00")


def _part(disposition: bytes, content: bytes) -> bytes:
    head = b"--x\r\nContent-Disposition: form-data; " + disposition
    return head + b"\r\n\r\n" + content + b"\r\n--x--\r\n"


async def in_chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536


async def complaints(
    world: World, operation: Operation, good: Example, sent: Iterable[Attack], accept: str = "*/*"
) -> list[str]:
    before = await world.seen()
    found = []
    for name, kind, content in sent:
        headers = good.headers | {"Content-Type": kind, "Accept": accept}
        headers_in_latin = [(key, value.encode("latin1")) for key, value in headers.items()]
        answer = await world.client.request(
            operation.verb, good.url, content=content, headers=headers_in_latin
        )
        if answer.status_code not in (400, 413, 415):
            found.append(f"{name}: {answer.status_code} {answer.text[:100]}")
    return found if await world.seen() == before else [*found, "Something has changed."]


def bytes_of(good: Example) -> bytes:
    return json.dumps(good.body if good.body is not None else {"a": 1}).encode()


@pytest.mark.parametrize("operation", TAKING, ids=name_of)
async def test_what_is_no_json_object_is_refused(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)

    found = await complaints(world, operation, good, attacks(bytes_of(good)))

    assert not found, found


@pytest.mark.parametrize("operation", TAKING, ids=name_of)
async def test_other_media_types_and_forms_that_are_none_are_refused(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)

    found = await complaints(world, operation, good, form_attacks(bytes_of(good)))

    assert not found, found


@pytest.mark.parametrize("operation", TAKING, ids=name_of)
async def test_a_browser_is_refused_in_the_same_way(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    sent = [
        ("a list", JSON, b"[]"),
        ("no JSON", JSON, b"{"),
        ("a form that is no UTF-8", FORM, b"a=%FF"),
    ]
    for value in ({"a": [1]}, [1], None, "<b>" * 2000):
        wrong = dict.fromkeys(good.body or "a", value)
        sent.append((f"all of it {str(value)[:9]}", JSON, json.dumps(wrong).encode()))
    sent.append(("all of it as a form", FORM, urlencode(wrong).encode()))

    found = await complaints(world, operation, good, sent, "text/html")

    assert not found, found


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
async def test_a_body_over_256_kib_is_413_before_it_is_read_to_its_end(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    before = await world.seen()

    bodies: list[Any] = [b" " * (256 * 1024 + 1), in_chunks(8 * MIB)]
    answers = [
        await world.client.request(operation.verb, good.url, content=body, headers=good.headers)
        for body in bodies
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(413, "too_large")] * 2
    assert await world.seen() == before


@pytest.mark.parametrize("operation", WITH_FIELDS, ids=name_of)
async def test_an_empty_body_is_refused_or_changes_nothing(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    before = await world.seen()

    statuses = set()
    for body in ({}, {"json": {}}, {"content": b""}, {"data": {"unknown": "1"}}):
        answer = await world.client.request(operation.verb, good.url, headers=good.headers, **body)
        statuses.add(answer.status_code)

    assert statuses == ({200} if operation.name in CHANGES else {400})
    assert await world.seen() == before


@pytest.mark.parametrize("operation", KEYED, ids=name_of)
async def test_a_malformed_idempotency_key_is_refused(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    body = {"json": good.body} if good.body is not None else {}
    before = await world.seen()

    codes = []
    for key in KEYS:
        headers = [*good.headers.items(), ("Idempotency-Key", key.encode())]
        answer = await world.client.post(good.url, headers=headers, **body)
        codes.append((answer.status_code, answer.json()["code"]))

    assert codes == [(400, "bad_idempotency_key")] * len(KEYS)
    assert await world.seen() == before


@pytest.mark.parametrize("operation", OTHERS, ids=name_of)
async def test_a_body_where_none_belongs_is_not_even_read(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, await world.things_for(operation, "boss"))

    answer = await world.client.request(
        operation.verb, good.url, content=b"{[", headers=good.headers | {"Content-Type": JSON}
    )

    assert answer.status_code in (200, 204) or operation.name.endswith("/swagger-admin-token")
