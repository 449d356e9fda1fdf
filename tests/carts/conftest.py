"""Carts with a catalog and an orders service that a test can make misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from django.apps import apps
from django.conf import LazySettings
from prometheus_client import REGISTRY

from carts.apps import CartsConfig
from carts.checkout import CheckoutService
from carts.clients import CatalogClient, OrdersClient
from carts.journal import JournaledCarts
from carts.repositories import CartRepository, MemoryCartRepository
from carts.services import CartService
from deploy.cassandra.trial import Trial
from store import clock as real_clock
from store import lifespan
from store.asgi import application
from store.tasks import Tasks
from tests.carts.peers import Clock, FakeCatalog, FakeOrders, peer
from tests.node import database, emptied
from tests.reopening import Reopening

Growth = Callable[..., float]
MakeCheckouts = Callable[..., CheckoutService]
Pause = Callable[[float], Awaitable[None]]


@pytest.fixture(scope="session")
def bridge(cassandra: Trial) -> Any:
    """One session for all tests: dialling takes longer than most of them."""
    from carts.cassandra.schema import CARTS
    from store.cassandra.bridge import Bridge

    return Bridge(database(cassandra), CARTS)


@pytest.fixture
async def on_cassandra(bridge: Any, clock: Clock) -> Any:
    """No carts at all."""
    from carts.cassandra.store import CassandraCarts

    await emptied(bridge)
    return CassandraCarts(bridge, now=clock.now)


ON_CASSANDRA = pytest.param("on_cassandra", marks=pytest.mark.cassandra)


@pytest.fixture
async def memory() -> CartRepository:
    return MemoryCartRepository()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Any]:
    async with Reopening(tmp_path, "carts", JournaledCarts, ()) as store:
        yield store


@pytest.fixture
async def reopened(tmp_path: Path) -> AsyncIterator[Any]:
    """Another process's after each change."""
    changes = {"change", "record_view"}
    async with Reopening(tmp_path, "carts", JournaledCarts, changes) as store:
        yield store


@pytest.fixture(params=["memory", "journal", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> CartRepository:
    found: CartRepository = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog() -> FakeCatalog:
    return FakeCatalog()


@pytest.fixture
def orders(clock: Clock) -> FakeOrders:
    return FakeOrders(clock)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.close(seconds=0)


@pytest.fixture
def carts(repository: CartRepository, catalog: FakeCatalog, clock: Clock) -> CartService:
    return CartService(
        repository, CatalogClient(peer("catalog", catalog), seconds=0.1), now=clock.now
    )


@pytest.fixture
def make_checkouts(
    repository: CartRepository, orders: FakeOrders, tasks: Tasks, clock: Clock
) -> MakeCheckouts:
    """Another service over the same carts and orders; ``seconds`` is how long orders may take."""

    def make(
        *, seconds: float = 30, patience: float = 30, pause: Pause = next_turn
    ) -> CheckoutService:
        client = OrdersClient(peer("orders", orders), seconds=seconds)
        return CheckoutService(
            repository, client, tasks, now=clock.now, patience=patience, pause=pause
        )

    return make


@pytest.fixture
def checkouts(make_checkouts: MakeCheckouts) -> CheckoutService:
    return make_checkouts()


@pytest.fixture
async def carts_alone(
    settings: LazySettings, catalog: FakeCatalog, orders: FakeOrders, clock: Clock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the carts service on its own, between the two fakes."""
    settings.SERVICES = ["carts"]
    clock.time = real_clock.now()
    await lifespan.startup()
    config = cast(CartsConfig, apps.get_app_config("carts"))
    _put_between(config, catalog, orders)
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://carts") as client:
        yield client
    await config.tasks.close(seconds=0)
    await lifespan.shutdown()


@pytest.fixture
def grown() -> Growth:
    """How much a metric has grown since the test began."""

    def value(name: str, labels: dict[str, str]) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }

    def growth(name: str, **labels: str) -> float:
        return value(name, labels) - before.get((name, tuple(sorted(labels.items()))), 0.0)

    return growth


async def next_turn(seconds: float) -> None:
    """A pause without the waiting: everybody else has a turn."""
    await asyncio.sleep(0)


def _put_between(config: CartsConfig, catalog: FakeCatalog, orders: FakeOrders) -> None:
    config.service = CartService(
        config.repository,
        CatalogClient(peer("catalog", catalog), seconds=0.1),
        now=real_clock.now,
    )
    config.checkouts = CheckoutService(
        config.repository,
        OrdersClient(peer("orders", orders), seconds=30),
        config.tasks,
        now=real_clock.now,
        patience=0.3,
        pause=next_turn,
    )
