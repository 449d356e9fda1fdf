"""What the tests of orders share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orders.journal import JournaledOrders
from orders.memory import MemoryOrders
from orders.repositories import OrderRepository
from tests.orders.world import World
from tests.reopening import Reopening

CHANGES = {"begin", "forget", "refuse", "commit", "delete", "delivered"}


@asynccontextmanager
async def kept(kind: str, data: Path) -> AsyncIterator[OrderRepository]:
    """``reopened`` is another process's after each change."""
    if kind == "memory":
        yield MemoryOrders()
        return
    changes = CHANGES if kind == "reopened" else set()
    async with Reopening(data, "orders", JournaledOrders, changes) as store:
        yield store


@pytest.fixture(params=["memory", "journal"])
async def repository(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OrderRepository]:
    async with kept(request.param, tmp_path) as store:
        yield store


@pytest.fixture
async def world(repository: OrderRepository) -> AsyncIterator[World]:
    world = World(repository)
    await world.open()
    yield world
    await world.close()
