"""What only the store on Cassandra has to promise: several instances, lost answers, crashes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from orders.domain import Destination, Status, release
from orders.domain.errors import TooManyOpenOrders
from orders.repositories import Overtaken
from orders.takeover import Takeover
from store.errors import ShopError, Unavailable
from tests.node import database_of
from tests.orders.node import SHARDS, instance
from tests.orders.peers import START
from tests.orders.test_repositories import (
    MANY,
    cancelled,
    deliver_all,
    final_of,
    ids,
    order_of,
    pending,
    step,
    stored,
)
from tests.orders.world import ALICE, World

pytestmark = pytest.mark.cassandra

# A lease, two beats, and the reading of a shard; with room for a busy machine.
SECONDS_TO_TAKE_OVER = 15


@pytest.fixture
async def instances(bridge: Any, on_cassandra: Any) -> AsyncIterator[Callable[..., Any]]:
    """``await instances()`` is one more on the same tables."""
    async with AsyncExitStack() as stack:

        async def one(**settings: Any) -> Any:
            return await stack.enter_async_context(instance(bridge, **settings))

        yield one


async def run(bridge: Any, text: str, *values: object) -> list[tuple[Any, ...]]:
    rows = await asyncio.to_thread(bridge._session.execute, text, values)
    return [tuple(row.values()) for row in rows]


async def until(condition: Callable[[], Any], *, seconds: float = SECONDS_TO_TAKE_OVER) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def killed(store: Any) -> None:
    """As if its process were gone: nothing is given back."""
    store._is_retired = True
    await store._tasks.close(seconds=0)


def owns_everything(store: Any) -> Any:
    """Believes that all shards are its own, as another does."""
    from orders.cassandra.leases import Leases

    store._leases = Leases(store._bridge, uuid4(), name="of its own")
    return store


def beside(world: World, repository: Any) -> World:
    """Another instance of the service in the same world."""
    other = World(repository)
    other.catalog, other.accounts, other.kettle = world.catalog, world.accounts, world.kettle
    other.time, other.terms = world.time, world.terms
    other._build()
    return other


class Unanswered:
    """A bridge that loses the answer to the next change of an order."""

    def __init__(self, bridge: Any, *, is_done: bool) -> None:
        self._bridge = bridge
        self._is_done = is_done
        self._loses = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bridge, name)

    async def together(self, name: str, parts: Any) -> Any:
        from store.cassandra.bridge import OutcomeUnknown

        if not self._loses:
            return await self._bridge.together(name, parts)
        self._loses = False
        if self._is_done:
            await self._bridge.together(name, parts)
        raise OutcomeUnknown


# One order


async def test_a_final_answer_goes_by_itself_after_a_day(on_cassandra: Any, bridge: Any) -> None:
    final = final_of(pending())
    await on_cassandra.refuse(final, [])

    rows = await run(
        bridge, "SELECT TTL(known), TTL(version) FROM store.orders WHERE order_id = %s", final.id
    )

    left = timedelta(seconds=min(rows[0]))
    assert timedelta(hours=23) < left <= timedelta(hours=24)


async def test_a_refusal_stays_for_as_long_as_its_stock_may_have_to_go_back(
    on_cassandra: Any, bridge: Any
) -> None:
    final = final_of(pending())
    await on_cassandra.refuse(final, [release(final.id)])

    rows = await run(bridge, "SELECT TTL(known) FROM store.orders WHERE order_id = %s", final.id)

    assert timedelta(seconds=rows[0][0]) > timedelta(days=6)


async def test_a_change_whose_answer_was_lost_is_found_out(on_cassandra: Any, bridge: Any) -> None:
    order = await stored(on_cassandra)
    on_cassandra._partitions._bridge = Unanswered(bridge, is_done=True)

    after = await step(on_cassandra, order)

    assert await on_cassandra.find(order.id) == after


async def test_a_change_of_which_nobody_knows_is_not_sent_again(
    on_cassandra: Any, bridge: Any
) -> None:
    order = await stored(on_cassandra)
    on_cassandra._partitions._bridge = Unanswered(bridge, is_done=False)

    with pytest.raises(Unavailable):
        await step(on_cassandra, order)

    assert await on_cassandra.find(order.id) == order
    assert await step(on_cassandra, order)


async def test_a_change_that_lost_against_another_is_overtaken(
    on_cassandra: Any, bridge: Any
) -> None:
    order = await stored(on_cassandra)
    await cancelled(on_cassandra, order)
    on_cassandra._partitions._bridge = Unanswered(bridge, is_done=False)

    with pytest.raises(Overtaken):
        await step(on_cassandra, order)


# Lists


async def test_what_was_listed_and_never_made_is_not_shown(on_cassandra: Any) -> None:
    from orders.cassandra.lists import Listed

    begun = pending()
    await on_cassandra.begin(begun, most_open=MANY)
    ghost = order_of(begun, second=1)
    await on_cassandra._lists.add(Listed.of(ghost), "alice")
    order = order_of(begun, second=2)
    await on_cassandra.commit(order, expected_version=0, messages=[])

    for filters in ({}, {"user_id": "alice"}, {"status": Status.CREATED}):
        assert await ids(on_cassandra, **filters) == [order.id]


async def test_a_list_keeps_one_row_of_an_order(on_cassandra: Any, bridge: Any) -> None:
    order = await stored(on_cassandra)
    await deliver_all(on_cassandra, await step(on_cassandra, order))
    async with asyncio.timeout(10):
        while len(rows := await run(bridge, "SELECT status FROM store.orders_by_status")) > 1:
            await asyncio.sleep(0.05)

    assert rows == [("PROCESSING",)]


async def test_an_order_that_is_over_leaves_nothing_behind(on_cassandra: Any, bridge: Any) -> None:
    over = await cancelled(on_cassandra, await stored(on_cassandra))
    await deliver_all(on_cassandra, over)
    await on_cassandra.delete(over, final_of(over))

    tables = ("orders_by_status", "orders_by_user", "orders_open", "orders_news")
    async with asyncio.timeout(10):
        for table in tables:
            while await run(bridge, f"SELECT * FROM store.{table}"):
                await asyncio.sleep(0.05)


async def test_a_list_is_read_over_many_buckets_and_full_partitions(on_cassandra: Any) -> None:
    from orders.cassandra import lists

    made = [await stored(on_cassandra, second=300 * number) for number in range(12)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MOST_ROWS", len(Status) * SHARDS)
        found = await on_cassandra.page(limit=100)

    assert [order.id for order in found] == [order.id for order in reversed(made)]


async def test_buckets_that_are_empty_and_old_are_forgotten(on_cassandra: Any) -> None:
    from orders.cassandra.buckets import LISTS

    over = await cancelled(on_cassandra, await stored(on_cassandra))
    await stored(on_cassandra, second=1200)
    await deliver_all(on_cassandra, over)
    await on_cassandra.delete(over, final_of(over))
    assert len(await on_cassandra._buckets.used(LISTS)) == 2

    await on_cassandra.prune(START + timedelta(hours=3))

    assert len(await on_cassandra._buckets.used(LISTS)) == 1


# Several instances


async def test_what_one_instance_does_every_other_sees(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    other = await instances(shards=SHARDS // 2)
    order = await stored(on_cassandra)
    after = await cancelled(other, order)

    assert await on_cassandra.find(order.id) == after
    assert await ids(other, user_id="alice") == [order.id]
    with pytest.raises(Overtaken):
        await step(on_cassandra, order)


async def test_the_cap_holds_whichever_instance_is_asked(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    stores = [on_cassandra, await instances(shards=SHARDS // 2)]

    async def begin(number: int) -> bool:
        try:
            await stores[number % 2].begin(pending(), most_open=3)
        except TooManyOpenOrders:
            return False
        return True

    begun = await asyncio.gather(*map(begin, range(12)))

    assert 1 <= sum(begun) <= 3
    while sum(begun) < 3:
        begun.append(await begin(0))
    assert not await begin(1)


async def test_instances_share_the_shards_evenly(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    others = [await instances(shards=SHARDS // 3), await instances(shards=SHARDS // 4)]
    stores = [on_cassandra, *others]
    await until(lambda: sum(len(store.shards) for store in stores) == SHARDS)

    await until(lambda: sorted(len(store.shards) for store in stores) == [5, 5, 6])

    assert frozenset().union(*(store.shards for store in stores)) == frozenset(range(SHARDS))
    assert [store.keeps_house() for store in stores].count(True) == 1


async def test_every_shard_has_one_deputy(on_cassandra: Any, instances: Callable[..., Any]) -> None:
    stores = [on_cassandra, await instances(shards=5), await instances(shards=5)]

    def deputies() -> list[int]:
        return sorted(shard for store in stores for shard in store._deputy.shards)

    await until(lambda: sum(len(store.shards) for store in stores) == SHARDS)
    await until(lambda: deputies() == list(range(SHARDS)))

    assert not any(store.shards & store._deputy.shards for store in stores)


async def test_who_retires_gives_back_at_once(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    other = await instances(shards=SHARDS // 2)

    await on_cassandra.retire()

    assert not on_cassandra.shards
    await until(lambda: len(other.shards) == SHARDS)


async def test_what_a_dead_instance_left_is_brought_to_its_end(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    """Its orders that are due, its messages, and the order that it was making."""
    other = await instances(shards=SHARDS // 2, left_behind_seconds=3.0)
    first = World(on_cassandra)
    second = beside(first, other)
    orders = [await first.place(f"user{number}") for number in range(SHARDS)]
    begun = replace(pending(), lines=first.purchase().lines, total=first.purchase().total)
    await on_cassandra.begin(begun, most_open=MANY)
    await killed(on_cassandra)
    await until(lambda: len(other.shards) == SHARDS)
    await second.open()
    takeover = Takeover(second.placing, second.relays.values())

    async with asyncio.timeout(SECONDS_TO_TAKE_OVER):
        while len(second.accounts.news) <= SHARDS:
            await takeover.look_around()
            await asyncio.sleep(0.05)
    await second.everything_is_told()
    assert await second.go_on(5) == SHARDS + 1
    await second.everything_is_told()

    for order_id in [begun.id, *(order.id for order in orders)]:
        assert second.accounts.statuses_of(order_id) == ["CREATED", "PROCESSING"]
        assert second.catalog.state(order_id) == "sold"
    await second.close()


async def test_two_clocks_that_own_the_same_shards_take_each_step_once(
    on_cassandra: Any, bridge: Any, instances: Callable[..., Any]
) -> None:
    first = World(on_cassandra)
    orders = [await first.place(f"user{number}") for number in range(20)]
    other = owns_everything(await instances(shards=SHARDS // 2))
    second = beside(first, other)
    await asyncio.gather(first.open(), second.open())
    await until(lambda: on_cassandra.open_orders() == other.open_orders() == len(orders))

    for _ in range(3):
        now = first.time.go_on(120)
        await asyncio.gather(first.service.advance_due(now), second.service.advance_due(now))
    await asyncio.gather(first.everything_is_told(), second.everything_is_told())

    for order in orders:
        news = [each for each in first.accounts.news if each["order_id"] == str(order.id)]
        statuses = {each["version"]: each["status"] for each in news}
        assert [statuses[version] for version in sorted(statuses)] == [
            *("CREATED", "PROCESSING", "SHIPPING", "DELIVERED")
        ]
        assert max(Counter(each["version"] for each in news).values()) <= 2
    await asyncio.gather(first.close(), second.close())


async def test_a_deputy_takes_the_steps_of_an_instance_that_hangs(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    """Long before the leases of that instance end, and without any of its shards."""
    first = World(on_cassandra)
    orders = [await first.place(f"user{number}") for number in range(SHARDS)]
    await first.bring_to(orders[0], Status.PROCESSING)
    other = await instances(shards=SHARDS // 2)
    await until(lambda: on_cassandra.open_orders() + other.open_orders() == len(orders))
    second = beside(first, other)
    mine = [order.id for order in orders[1:] if other._deputy.follows(order.id)]
    assert mine

    await second.go_on(5.1)
    assert {(await other.find(each)).status for each in mine} == {Status.CREATED}
    await second.go_on(0.6)
    assert {(await other.find(each)).status for each in mine} == {Status.PROCESSING}


async def test_a_cancellation_races_the_clock_of_another_instance(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    first = World(on_cassandra)
    second = beside(first, await instances(shards=SHARDS // 2))
    await asyncio.gather(first.open(), second.open())
    orders = [await first.place() for _ in range(10)]
    now = first.time.go_on(10)

    async def cancel(number: int) -> None:
        try:
            await second.service.cancel(orders[number].id, ALICE)
        except ShopError:
            """It is on its way already."""

    clocks = (world.service.advance_due(now) for world in (first, second))
    await asyncio.gather(*clocks, *map(cancel, range(10)))
    await asyncio.gather(first.everything_is_told(), second.everything_is_told())

    found = [await first.service.order(order.id) for order in orders]
    gone = sum(order.status is not Status.CANCELLED for order in found)
    assert first.stock == 1000 - gone
    await asyncio.gather(first.close(), second.close())


async def test_figures_are_those_of_an_instances_shards(
    on_cassandra: Any, instances: Callable[..., Any]
) -> None:
    other = await instances(shards=SHARDS // 2)
    await until(lambda: len(on_cassandra.shards) == SHARDS // 2)
    for _ in range(10):
        await stored(on_cassandra)

    await until(lambda: on_cassandra.open_orders() + other.open_orders() == 10)
    stores = (on_cassandra, other)
    await until(lambda: sum(each.undelivered(Destination.ACCOUNTS) for each in stores) == 10)


async def test_without_cassandra_every_call_says_when_to_come_back() -> None:
    from orders.cassandra.schema import ORDERS
    from orders.cassandra.store import CassandraOrders
    from store.cassandra.bridge import Bridge

    nowhere = {"CASSANDRA_HOST": "127.0.0.1", "CASSANDRA_PORT": "9"}
    store = CassandraOrders(Bridge(database_of(nowhere), ORDERS))
    store.open()
    begun = pending()

    for call in (store.find(begun.id), store.begin(begun, most_open=1), store.page(limit=1)):
        with pytest.raises(Unavailable) as refused:
            await call
        assert refused.value.retry_after == 1

    assert store.unready()
    assert await store.due(START, limit=1) == []
    await store.close()
