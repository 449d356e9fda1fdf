"""Each field of each operation with each wrong value: a 4xx that names it, and nothing changes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from time import process_time
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest

from tests.contract.examples import UNDOCUMENTED, Example, example
from tests.contract.operations import OPERATIONS, Operation, Schema
from tests.contract.world import Things, World
from tests.contract.wrong_values import form_values, json_values

pytestmark = pytest.mark.asyncio(loop_scope="module")

Path = tuple[str | int, ...]
Request = tuple[str, dict[str, Any]]

# Of the processor, our own sending and reading included.
LONGEST_SECONDS = 0.25
REFUSALS = {400, 404, 409, 413, 415, 422}
BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
WITH_BODY = [each for each in OPERATIONS if each.body]


def fields(schema: Schema, at: Path = ()) -> Iterator[tuple[Path, Schema, bool]]:
    """Path, schema, and whether it is required, of each field at any depth."""
    for name, each in schema.get("properties", {}).items():
        yield (*at, name), each, name in schema.get("required", ())
        if each["type"] == "array":
            yield from fields(each["items"], (*at, name, 0))


def fields_of(operation: Operation) -> Iterator[tuple[Path, Schema, bool]]:
    yield from fields(operation.body or {})
    for name, schema in UNDOCUMENTED.get(operation.name, {}).items():
        yield (name,), schema, False


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


BODY_FIELDS = [
    pytest.param(each, *found, id=f"{each.name} {dotted(found[0])}")
    for each in WITH_BODY
    for found in fields_of(each)
]
QUERY_FIELDS = [
    pytest.param(each, name, schema, id=f"{each.name} ?{name}")
    for each in OPERATIONS
    for name, schema in each.query.items()
]


def complaint(answer: httpx.Response, path: Path) -> str:
    """What is wrong with a refusal; nothing where it is a 4xx because of the field itself."""
    if answer.status_code not in REFUSALS:
        return f"{answer.status_code} {answer.text[:200]}"
    data = answer.json()
    named = data.get("errors", {})
    if named and not any(each.startswith(dotted(path)) for each in named):
        return f"speaks of {sorted(named)} only"
    return ""


async def complaints(
    world: World, operation: Operation, path: Path, requests: Iterable[Request]
) -> list[str]:
    """By what was sent: which answers were not refusals, and whether anything has changed."""
    before = await world.seen()
    found = []
    for name, options in requests:
        url, began_at = options.pop("url"), process_time()
        answer = await world.client.request(operation.verb, url, **options)
        if wrong := complaint(answer, path):
            found.append(f"{name}: {wrong}")
        if (seconds := process_time() - began_at) > LONGEST_SECONDS:
            found.append(f"{name}: held everybody up for {seconds:.2f} s")
    return found if await world.seen() == before else [*found, "Something has changed."]


def changed(body: Any, path: Path, new: Any) -> Any:
    """The body with another value at the path, or without it for ``...``."""
    copy = deepcopy(body)
    place = copy
    for step in path[:-1]:
        place = place[step]
    if new is ...:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = new
    return copy


def as_json(base: Example, path: Path, schema: Schema, *, required: bool) -> Iterator[Request]:
    headers = base.headers | {"Content-Type": "application/json"}
    mark = "the wrong value"
    template = json.dumps(changed(base.body, path, mark)).encode()
    for name, text in json_values(schema):
        content = template.replace(json.dumps(mark).encode(), text)
        yield name, {"url": base.url, "content": content, "headers": headers}
    key = f'"{path[-1]}":'.encode()
    twice = template.replace(key, key + b" 1, " + key)
    yield "its key twice", {"url": base.url, "content": twice, "headers": headers}
    if required:
        missing = changed(base.body, path, ...)
        yield "missing", {"url": base.url, "json": missing, "headers": base.headers}


def pairs(body: Any, name: str = "") -> Iterator[tuple[str, bytes]]:
    """A JSON body as the fields of a form: ``items[0]quantity``, as DRF reads them."""
    match body:
        case dict():
            for key, each in body.items():
                yield from pairs(each, f"{name}{key}")
        case list():
            for place, each in enumerate(body):
                yield from pairs(each, f"{name}[{place}]")
        case bool() | None:
            yield name, b"true" if body else b""
        case _:
            yield name, str(body).encode()


def form_name(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else step for step in path)


def urlencoded(form: Sequence[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in form).encode()


def multipart(form: Sequence[tuple[str, bytes]]) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'.encode()
    parts = [head % (name.encode(), value) for name, value in form]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def as_forms(base: Example, path: Path, schema: Schema, *, required: bool) -> Iterator[Request]:
    rest = [pair for pair in pairs(base.body) if not pair[0].startswith(form_name(path))]
    wrong = [(name, [*rest, (form_name(path), text)]) for name, text in form_values(schema)]
    if required:
        wrong += [("missing", rest), ("empty", [*rest, (form_name(path), b"")])]
    if schema["type"] == "array":
        place = f"{form_name(path)}[{'9' * 5000}]x"
        wrong += [("a word", [*rest, (form_name(path), b"x")]), ("far off", [*rest, (place, b"1")])]
    for name, form in wrong:
        for kind, content in (
            ("application/x-www-form-urlencoded", urlencoded(form)),
            (MULTIPART, multipart(form)),
        ):
            headers = base.headers | {"Content-Type": kind}
            yield f"{name} as {kind}", {"url": base.url, "content": content, "headers": headers}


def in_query(base: Example, name: str, schema: Schema) -> Iterator[Request]:
    options = {"headers": base.headers} | ({"json": base.body} if base.body else {})
    for what, text in form_values(schema):
        url = f"{base.url}?{name}={quote_from_bytes(text)}"
        if len(url) < 65_536:
            yield what, options | {"url": url}


@pytest.mark.parametrize(("operation", "path", "schema", "required"), BODY_FIELDS)
async def test_a_wrong_value_in_json_is_refused(
    world: World, things: Things, operation: Operation, path: Path, schema: Schema, required: bool
) -> None:
    base = example(operation, things)
    requests = as_json(base, path, schema, required=required)

    assert not (found := await complaints(world, operation, path, requests)), found


@pytest.mark.parametrize(("operation", "path", "schema", "required"), BODY_FIELDS)
async def test_a_wrong_value_in_a_form_is_refused(
    world: World, things: Things, operation: Operation, path: Path, schema: Schema, required: bool
) -> None:
    base = example(operation, things)
    requests = as_forms(base, path, schema, required=required)

    assert not (found := await complaints(world, operation, path, requests)), found


@pytest.mark.parametrize(("operation", "name", "schema"), QUERY_FIELDS)
async def test_a_wrong_value_in_the_query_is_refused(
    world: World, things: Things, operation: Operation, name: str, schema: Schema
) -> None:
    requests = in_query(example(operation, things), name, schema)

    assert not (found := await complaints(world, operation, (name,), requests)), found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_the_example_that_is_to_be_broken_is_a_good_one(
    world: World, demo: None, operation: Operation
) -> None:
    good = example(operation, await world.things_for(operation, "boss"))
    body = {"json": good.body} if good.body is not None else {}

    status = await world.send(operation, good.url, params=good.query, headers=good.headers, **body)

    assert status in (200, 201, 204)
