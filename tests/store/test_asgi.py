"""The ASGI application: bodies counted while they arrive, services found by address or prefix."""

from collections.abc import Callable

import httpx
import pytest
from django.conf import LazySettings

from store import asgi
from store.settings.base import PREFIXES
from tests.store.connection import GONE, Connection, Headers, chunk

JSON: Headers = [(b"content-type", b"application/json")]
LIMIT = 256 * 1024


def line(size: int) -> bytes:
    """A valid line of ``size`` bytes, most of them blanks."""
    text = b'{"name": "tea", "quantity": 1}'
    return text + b" " * (size - len(text))


async def post(*chunks: bytes, headers: Headers | None = None, path: str = "/lines") -> Connection:
    messages = [chunk(part, more=True) for part in chunks[:-1]] + [chunk(chunks[-1])]
    return await Connection("POST", path, *messages, headers=JSON + (headers or [])).run()


async def test_a_body_may_arrive_in_pieces(tiny_service: None) -> None:
    connection = await post(b'{"name": "te', b"", b'a", "quantity": 1}', b"")

    assert (connection.status, connection.body) == (201, b'{"name":"tea","quantity":1}')


async def test_a_body_of_256_kib_is_read_and_one_more_byte_is_too_much(tiny_service: None) -> None:
    assert (await post(line(LIMIT))).status == 201

    refused = await post(line(LIMIT + 1))

    assert refused.status == 413
    assert b'"code":"too_large"' in refused.body


async def test_a_chunked_body_is_refused_while_it_arrives_and_its_rest_thrown_away(
    tiny_service: None,
) -> None:
    pieces = [chunk(b" " * 65536, more=True) for _ in range(128)]
    connection = Connection("POST", "/lines", *pieces, chunk(b""), headers=JSON)

    await connection.run()

    assert connection.status == 413
    assert connection.headers["connection"] == "close"
    assert [message.get("more_body", False) for message in connection.sent] == [False, True, False]
    assert connection._messages == []


async def test_no_more_than_16_mib_of_a_refused_body_are_thrown_away(tiny_service: None) -> None:
    pieces = [chunk(b" " * 65536, more=True) for _ in range(512)]
    connection = Connection("POST", "/lines", *pieces, headers=JSON)

    await connection.run()

    assert connection.status == 413
    assert len(connection._messages) == 512 - 5 - 256


@pytest.mark.parametrize("claimed", [b"0", b"5", b"1000000", b"-1", b"x", b""])
async def test_what_arrives_counts_whatever_content_length_claims(
    tiny_service: None, claimed: bytes
) -> None:
    lying = [(b"content-length", claimed)]

    assert (await post(line(40), headers=lying)).status == 201
    assert (await post(line(LIMIT + 1), headers=lying)).status == 413


async def test_a_refusal_for_size_carries_what_every_answer_carries(
    tiny_service: None, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.DEMO = True
    monkeypatch.setattr(asgi, "api_handler", asgi.ApiHandler())

    refused = await post(line(LIMIT + 1), headers=[(b"x-request-id", b"request-0001")])

    assert refused.headers["x-request-id"] == "request-0001"
    assert refused.headers["x-store-demo"] == "1"
    assert refused.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("arrived", [[], [chunk(b'{"name": "tea"', more=True)]])
async def test_who_leaves_before_the_end_of_the_body_gets_no_answer(
    tiny_service: None, arrived: list[dict[str, object]]
) -> None:
    connection = await Connection("POST", "/lines", *arrived, GONE, headers=JSON).run()

    assert connection.sent == []


async def test_other_protocols_are_left_alone() -> None:
    connection = Connection("GET", "/")
    connection.scope["type"] = "websocket"

    assert (await connection.run()).sent == []


def routed(path: str, *headers: tuple[bytes, bytes]) -> tuple[str, str, str]:
    scope = asgi._routed({"type": "http", "path": path, "headers": list(headers)})
    return scope["service"], scope["root_path"], scope["path"]


@pytest.mark.parametrize("service", PREFIXES)
def test_one_service_alone_answers_everything(settings: LazySettings, service: str) -> None:
    settings.SERVICES = [service]

    assert routed("/api/x") == (service, "", "/api/x")


@pytest.mark.parametrize("service", PREFIXES)
def test_the_gateways_prefix_is_where_the_service_is_seen(
    settings: LazySettings, service: str
) -> None:
    settings.SERVICES = [service]
    prefix = PREFIXES[service]

    assert routed("/x", (b"x-forwarded-prefix", prefix.encode())) == (
        service,
        prefix,
        f"{prefix}/x",
    )


@pytest.mark.parametrize(
    "prefix", [b"/cart-api", b"//evil.example", b"/api/", b"api", b"", b"/api, /api", b"/\xff"]
)
def test_any_other_prefix_is_not_believed(settings: LazySettings, prefix: bytes) -> None:
    settings.SERVICES = ["catalog"]

    assert routed("/x", (b"x-forwarded-prefix", prefix)) == ("catalog", "", "/x")


@pytest.mark.parametrize("service", PREFIXES)
def test_the_whole_shop_finds_its_services_by_their_prefixes(service: str) -> None:
    prefix = PREFIXES[service]

    assert routed(f"{prefix}/x") == (service, prefix, f"{prefix}/x")
    assert routed(f"{prefix}/") == (service, prefix, f"{prefix}/")


@pytest.mark.parametrize("path", ["/", "/apix/y", "/api", "/x/api/y", "/API/x", "//api/x"])
def test_what_has_no_services_prefix_is_the_front(path: str) -> None:
    assert routed(path)[:2] == ("front", "")


async def test_the_prefix_is_stripped_before_the_view_is_looked_for(
    tiny_service: None,
) -> None:
    prefixed = [(b"x-forwarded-prefix", b"/api")]

    assert (await Connection("GET", "/lines", headers=prefixed).run()).status == 200
    assert (await Connection("GET", "/api/lines").run()).status == 404


async def test_each_service_of_the_whole_shop_answers_under_its_own_name(
    shop: httpx.AsyncClient,
) -> None:
    for service, prefix in PREFIXES.items():
        assert (await shop.get(f"{prefix}/health")).json() == {"status": "ok", "service": service}


async def test_an_unknown_prefix_is_a_404(shop: httpx.AsyncClient) -> None:
    assert (await shop.get("/warehouse-api/health")).status_code == 404


@pytest.mark.parametrize(
    ("path", "accept", "is_page"),
    [
        ("/lines", b"application/json", False),
        ("/lines", b"*/*", False),
        ("/lines", b"text/html,application/xhtml+xml", True),
        ("/admin/", b"", True),
        ("/docs/", b"", True),
        ("/openapi.json", b"", True),
        ("/administration", b"", False),
    ],
)
def test_people_get_pages_and_programs_get_json(path: str, accept: bytes, is_page: bool) -> None:
    headers = [(b"accept", accept)]
    scope = {"path": f"/api{path}", "root_path": "/api", "service": "catalog", "headers": headers}

    assert asgi._is_page(scope) is is_page


async def test_a_page_can_read_the_body_that_was_read_before() -> None:
    async def leaves() -> dict[str, object]:
        return GONE

    receive: Callable[[], object] = asgi._replay(b"body", leaves)

    assert await receive() == chunk(b"body")  # type: ignore[misc]
    assert await receive() == GONE  # type: ignore[misc]
