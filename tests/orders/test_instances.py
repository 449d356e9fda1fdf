"""Real processes on one Cassandra, of which one or another is killed all the while."""

import asyncio
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.cassandra.trial import Trial
from tests.orders.processes import Town, ports, town

pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(300)]

LIFE = {
    "ORDER_PROCESSING_DELAY": "1",
    "ORDER_SHIPPING_DELAY": "1",
    "ORDER_DELIVERY_MIN": "1",
    "ORDER_DELIVERY_MAX": "2",
    "ORDER_RETENTION": "1",
}
STORY = ["CREATED", "PROCESSING", "SHIPPING", "DELIVERED"]
# Of a machine that may have much else to do; docs/instances.md has figures of a quiet one.
SECONDS_TO_END = 60


@pytest.fixture
async def two(cassandra: Trial, tmp_path: Path) -> AsyncIterator[Town]:
    own = {"CASSANDRA_KEYSPACE": "orders_of_processes"}
    async with town(tmp_path, **cassandra.settings, **own, **LIFE) as here:
        await asyncio.gather(*map(here.start, ports(2)))
        yield here


async def test_no_step_is_lost_or_taken_twice_though_instances_die(two: Town) -> None:
    first, second = two.running
    buying = asyncio.create_task(buy(two, seconds=20))
    for port in (first, second, first):
        await asyncio.sleep(3)
        await two.end(port, lambda process: process.kill())
        await two.start(port)
    await buying
    await two.until_all_are("DELIVERED", seconds=SECONDS_TO_END)

    assert len(two.placed) > 20
    assert {tuple(two.accounts.story(order_id)) for order_id in two.placed} == {tuple(STORY)}
    assert {two.catalog.state(order_id) for order_id in two.placed} == {"sold"}


async def test_an_instance_that_is_told_to_stop_leaves_no_gap(two: Town) -> None:
    first, _ = two.running
    buying = asyncio.create_task(buy(two, seconds=5))
    await asyncio.sleep(2)
    await two.end(first, lambda process: process.terminate())
    await buying
    await two.until_all_are("DELIVERED", seconds=SECONDS_TO_END)

    assert statistics.median(heard.late for heard in two.accounts.heard) < 5


async def buy(here: Town, *, seconds: float) -> None:
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        for number in range(int(seconds * 4)):
            group.create_task(here.place(client, f"user{number % 7}"))
            await asyncio.sleep(0.25)
