"""The stores that keep the catalog's contract, and who calls it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.repositories import CatalogRepository
from deploy.cassandra.trial import Trial
from tests.catalog.examples import MILK, journaled_catalog, memory_catalog
from tests.node import emptied, kept_bridge, opened
from tests.reopening import Reopening

Headers = dict[str, str]


@pytest.fixture(scope="session")
def bridge(cassandra: Trial) -> Any:
    from catalog.cassandra.schema import CATALOG

    return kept_bridge(cassandra, CATALOG)


@pytest.fixture
async def on_cassandra(bridge: Any) -> AsyncIterator[Any]:
    """An empty catalogue."""
    from catalog.cassandra.store import CassandraCatalog

    await emptied(bridge)
    store = await opened(CassandraCatalog(bridge, keep_seconds=86400))
    yield store
    await store.close()


@pytest.fixture
async def in_memory() -> CatalogRepository:
    return memory_catalog()


@pytest.fixture
async def in_journal(tmp_path: Path) -> AsyncIterator[Any]:
    async with Reopening(tmp_path, "catalog", journaled_catalog, ()) as store:
        yield store


@pytest.fixture
async def reopened(tmp_path: Path) -> AsyncIterator[Any]:
    """Another process's after each change."""
    changes = {"add", "add_all", "update", "delete", "reserve", "settle"}
    async with Reopening(tmp_path, "catalog", journaled_catalog, changes) as store:
        yield store


ON_CASSANDRA = pytest.param("on_cassandra", marks=pytest.mark.cassandra)


@pytest.fixture(params=["in_memory", "in_journal", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> CatalogRepository:
    found: CatalogRepository = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def admin(auth: Callable[..., Headers]) -> Headers:
    return auth("boss", admin=True)


@pytest.fixture
def user(auth: Callable[..., Headers]) -> Headers:
    return auth("alice")


@pytest.fixture
def orders(as_service: Callable[..., Headers]) -> Headers:
    """The headers of a call by the orders service."""
    return as_service("orders", "catalog")


@pytest.fixture
def add(shop: httpx.AsyncClient, admin: Headers) -> Callable[..., Awaitable[dict[str, Any]]]:
    """``await add(name="Сыр")`` puts a product into the running shop and gives it back."""

    async def added(**fields: Any) -> dict[str, Any]:
        answer = await shop.post("/api/products/", json=MILK | fields, headers=admin)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return added
