"""The whole shop in one process, without sockets, for every test that asks for it."""

import os
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from django.conf import LazySettings

from deploy.cassandra.trial import Trial, cassandra_on_trial, why_not
from store import lifespan, tokens
from store.asgi import application

Headers = dict[str, str]


@pytest.fixture(scope="session")
def can_have_cassandra() -> None:
    """Where there can be none its tests are skipped, in CI they fail."""
    if problem := why_not():
        is_required = os.environ.get("CI") or os.environ.get("REQUIRE_CASSANDRA")
        (pytest.fail if is_required else pytest.skip)(problem)


@pytest.fixture(scope="session")
def cassandra(
    can_have_cassandra: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trial]:
    """A real node."""
    with cassandra_on_trial(tmp_path_factory.mktemp("cassandra")) as trial:
        yield trial


@pytest.fixture
async def shop() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the four services under the gateway's prefixes, opened afresh for each test."""
    await lifespan.startup()
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client
    await lifespan.shutdown()


@pytest.fixture
async def demo_shop(demo: None, shop: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same in demo mode: demo users and products, the open admin header."""
    return shop


@pytest.fixture
def demo(settings: LazySettings) -> None:
    settings.DEMO = True


@pytest.fixture
def auth() -> Callable[..., Headers]:
    """``auth("alice")`` and ``auth("boss", admin=True)`` are the headers of a logged-in user."""

    def headers(username: str, *, admin: bool = False) -> Headers:
        return {"Authorization": f"Bearer {tokens.user_token(username, admin)[0]}"}

    return headers


@pytest.fixture
def as_service() -> Callable[..., Headers]:
    """``as_service("carts", "catalog", user="alice")`` are the headers of a service's call."""

    def headers(caller: str, callee: str, *, user: str | None = None) -> Headers:
        token = {"Authorization": f"Bearer {tokens.service_token(caller, callee)}"}
        return token | ({"X-User-ID": user} if user else {})

    return headers
