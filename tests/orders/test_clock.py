"""Time passes: steps on time, in order, none skipped, and the end of it."""

import asyncio
from datetime import timedelta

import pytest

from orders.alarm import Alarm
from orders.clock import Clock, SteadyTime
from orders.domain import Status
from orders.domain.errors import OrderNotFound
from orders.repositories import OrderRepository
from orders.services import BATCH
from store.tasks import Tasks
from tests.orders.conftest import IN_PROCESS
from tests.orders.peers import START, refuses_connections
from tests.orders.world import ALICE, World


async def test_an_order_lives_by_its_timetable(world: World) -> None:
    order = await world.place()
    seen = []
    for seconds in (4.9, 0.1, 5, 99, 1):
        await world.go_on(seconds)
        seen.append((await world.service.order(order.id)).status)
    assert seen == ["CREATED", "PROCESSING", "SHIPPING", "SHIPPING", "DELIVERED"]


async def test_a_long_stop_is_caught_up_step_by_step(world: World) -> None:
    order = await world.place()
    assert await world.go_on(200) == 3
    await world.everything_is_told()
    assert [(news["status"], news["version"]) for news in world.accounts.news] == [
        ("CREATED", 1),
        ("PROCESSING", 2),
        ("SHIPPING", 3),
        ("DELIVERED", 4),
    ]
    late = await world.service.order(order.id)
    assert late.updated_at == START + timedelta(seconds=110)
    assert late.next_at == START + timedelta(seconds=410)


async def test_steps_of_many_orders_come_in_the_order_of_their_times(world: World) -> None:
    first = await world.place()
    world.time.go_on(3)
    second = await world.place()
    await world.go_on(60)
    await world.everything_is_told()
    told = [(news["updated_at"], news["order_id"]) for news in world.accounts.news]
    assert sorted(told) == sorted(told, key=lambda news: news[0])
    for order in (first, second):
        assert world.accounts.statuses_of(order.id) == ["CREATED", "PROCESSING", "SHIPPING"]


@IN_PROCESS
async def test_more_orders_than_a_batch_all_take_their_step(world: World) -> None:
    world.catalog.products[world.kettle].stock = 2 * BATCH
    for number in range(BATCH + 10):
        await world.place(f"user{number}")
    assert await world.go_on(5) == BATCH + 10


async def test_a_delivered_order_is_deleted_when_its_time_is_over(world: World) -> None:
    order = await world.bring_to(await world.place(), Status.DELIVERED)
    await world.everything_is_told()
    await world.go_on(299)
    assert await world.service.order(order.id)
    await world.go_on(1)
    with pytest.raises(OrderNotFound):
        await world.service.order(order.id)


async def test_a_cancelled_order_stays_for_a_day(world: World) -> None:
    order = await world.place()
    await world.service.cancel(order.id, ALICE)
    await world.everything_is_told()
    await world.go_on(24 * 3600 - 1)
    assert await world.service.order(order.id)
    await world.go_on(1)
    with pytest.raises(OrderNotFound):
        await world.service.order(order.id)


async def test_an_order_is_kept_until_its_news_is_delivered(world: World) -> None:
    world.accounts.fault = refuses_connections
    order = await world.bring_to(await world.place(), Status.DELIVERED)
    await world.go_on(1000)
    assert await world.service.order(order.id)
    world.accounts.fault = None
    await all_told(world)
    assert await world.go_on(0) == 1
    with pytest.raises(OrderNotFound):
        await world.service.order(order.id)


class Listener:
    """Stands where the service stands and writes down when the clock calls."""

    def __init__(self, alarm: Alarm) -> None:
        self.calls: asyncio.Queue[int] = asyncio.Queue()
        self.alarm = alarm
        self.next = START + timedelta(hours=1)

    async def advance_due(self, now: object) -> int:
        await self.calls.put(1)
        return 0

    async def next_due(self) -> object:
        return self.next


async def test_the_clock_wakes_for_what_is_earlier_than_what_it_waits_for() -> None:
    alarm = Alarm()
    listener = Listener(alarm)
    clock = Clock(listener, alarm, now=lambda: START)  # type: ignore[arg-type]
    tasks = Tasks()
    tasks.supervise(clock.run, name="clock")
    await listener.calls.get()
    for _ in range(3):
        await asyncio.sleep(0)
    alarm.ring(listener.next + timedelta(seconds=1))
    await asyncio.sleep(0)
    assert listener.calls.empty()
    alarm.ring(listener.next - timedelta(seconds=1))
    await asyncio.wait_for(listener.calls.get(), timeout=0.5)
    await tasks.close(seconds=0)


@IN_PROCESS
async def test_the_clock_takes_steps_by_itself(repository: OrderRepository) -> None:
    world = World(repository)
    await world.open()
    started_at, loop = world.time(), asyncio.get_running_loop()
    began = loop.time()
    clock = Clock(
        world.service,
        world.alarm,
        now=lambda: started_at + timedelta(seconds=1000 * (loop.time() - began)),
    )
    order = await world.place()
    tasks = Tasks()
    tasks.supervise(clock.run, name="clock")
    async with asyncio.timeout(5):
        while await world.repository.page(limit=1):
            await asyncio.sleep(0.005)
    await tasks.close(seconds=0)
    await world.close()
    assert world.accounts.statuses_of(order.id)[-1] == Status.DELIVERED


def test_steady_time_starts_at_the_wall_and_ignores_its_jumps() -> None:
    walls = iter([START, START + timedelta(days=1)])
    time = SteadyTime(lambda: next(walls))
    assert START <= time() < START + timedelta(seconds=5)
    assert time() >= START


async def all_told(world: World) -> None:
    """The relays come back by themselves once the peer is there."""
    async with asyncio.timeout(5):
        while world.relays and any(map(world.repository.undelivered, world.relays)):
            await asyncio.sleep(0.005)
