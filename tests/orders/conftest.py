"""What the tests of orders share."""

from collections.abc import AsyncIterator, Callable

import pytest

from orders.memory import MemoryOrders
from orders.repositories import OrderRepository
from tests.orders.world import World


@pytest.fixture(params=["memory"])
def repository(request: pytest.FixtureRequest) -> OrderRepository:
    stores: dict[str, Callable[[], OrderRepository]] = {"memory": MemoryOrders}
    return stores[request.param]()


@pytest.fixture
async def world(repository: OrderRepository) -> AsyncIterator[World]:
    world = World(repository)
    await world.open()
    yield world
    await world.close()
