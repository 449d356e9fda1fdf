"""What the tests of orders share."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cassandra.trial import Trial
from orders.journal import JournaledOrders
from orders.memory import MemoryOrders
from orders.repositories import OrderRepository
from tests.node import emptied
from tests.orders.node import bridge_to, instance
from tests.orders.world import World
from tests.reopening import Reopening

CHANGES = {"begin", "forget", "refuse", "commit", "delete", "delivered"}


@pytest.fixture
async def in_memory() -> OrderRepository:
    return MemoryOrders()


@pytest.fixture
async def in_journal(tmp_path: Path) -> AsyncIterator[Any]:
    async with Reopening(tmp_path, "orders", JournaledOrders, ()) as store:
        yield store


@pytest.fixture
async def reopened(tmp_path: Path) -> AsyncIterator[Any]:
    """Another process's after each change."""
    async with Reopening(tmp_path, "orders", JournaledOrders, CHANGES) as store:
        yield store


ON_CASSANDRA = pytest.param("on_cassandra", marks=pytest.mark.cassandra)


@pytest.fixture(scope="session")
def bridge(cassandra: Trial) -> Any:
    return bridge_to(cassandra)


@pytest.fixture
async def on_cassandra(bridge: Any) -> AsyncIterator[Any]:
    """The only instance, which has no patience with what was left behind."""
    await emptied(bridge)
    async with instance(bridge, left_behind_seconds=0) as store:
        yield store


# For what has to be quick, or depends on a time that Cassandra does not know.
IN_PROCESS = pytest.mark.parametrize("repository", ["in_memory", "in_journal"], indirect=True)


@pytest.fixture(params=["in_memory", "in_journal", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> OrderRepository:
    found: OrderRepository = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def world(repository: OrderRepository) -> AsyncIterator[World]:
    world = World(repository)
    await world.open()
    yield world
    await world.close()
