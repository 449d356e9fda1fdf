"""What every answer carries."""

import httpx
import pytest
from django.conf import LazySettings

from store import asgi
from store.correlation import request_id
from tests.store.connection import Connection


@pytest.mark.parametrize("path", ["/lines", "/nowhere", "/broken", "/admin-only", "/health"])
async def test_every_answer_has_an_id_and_is_not_sniffed(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path)

    assert len(response.headers["x-request-id"]) == 32
    assert response.headers["x-content-type-options"] == "nosniff"
    assert {"server", "x-powered-by", "x-store-demo"}.isdisjoint(response.headers)


async def test_every_request_has_its_own_id(client: httpx.AsyncClient) -> None:
    ids = {(await client.get("/lines")).headers["x-request-id"] for _ in range(20)}

    assert len(ids) == 20


async def test_the_callers_id_is_kept(client: httpx.AsyncClient) -> None:
    response = await client.get("/lines", headers={"X-Request-ID": "request-0001"})

    assert response.headers["x-request-id"] == "request-0001"
    assert request_id.get() == "request-0001"


@pytest.mark.parametrize(
    "name", [b"short", b"x" * 65, b"a\nb-forged-line", b"\xff" * 10, b"a b c d e"]
)
async def test_an_id_that_does_not_look_like_one_is_replaced(
    tiny_service: None, name: bytes
) -> None:
    connection = await Connection("GET", "/lines", headers=[(b"x-request-id", name)]).run()

    assert len(connection.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/lines", "/nowhere", "/broken", "/admin-only", "/health"])
async def test_in_demo_mode_every_answer_says_so(
    client: httpx.AsyncClient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    settings.DEMO = True
    monkeypatch.setattr(asgi, "api_handler", asgi.ApiHandler())

    assert (await client.get(path)).headers["x-store-demo"] == "1"
