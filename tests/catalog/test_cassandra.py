"""What only the store on Cassandra has to promise: several instances, other programs, crashes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from catalog.domain import Filter, OutOfStock, Reservation, Sort, State
from tests.catalog.examples import NOON, ORDER, product, seconds
from tests.catalog.node import opened

pytestmark = pytest.mark.cassandra


@pytest.fixture
async def other(on_cassandra: Any, bridge: Any) -> AsyncIterator[Any]:
    """A second instance on the same tables."""
    from catalog.cassandra.store import CassandraCatalog

    store = await opened(CassandraCatalog(bridge, keep_seconds=86400))
    yield store
    await store.close()


async def within_a_second(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(1):
        while not await condition():
            await asyncio.sleep(0.02)


async def run(bridge: Any, text: str, *values: object) -> Any:
    return await asyncio.to_thread(bridge._session.execute, text, values)


async def test_the_table_is_the_descriptions(bridge: Any, on_cassandra: Any) -> None:
    rows = await run(
        bridge,
        "SELECT column_name, type FROM system_schema.columns"
        " WHERE keyspace_name = 'store' AND table_name = 'products'",
    )

    assert {row["column_name"]: row["type"] for row in rows} == {
        "id": "uuid",
        "name": "text",
        "category": "text",
        "price": "decimal",
        "quantity": "int",
        "description": "text",
        "manufacturer": "text",
    }


async def test_another_instance_lists_a_change_within_a_second(
    on_cassandra: Any, other: Any
) -> None:
    milk = product()
    await on_cassandra.add(milk)

    async def is_listed() -> bool:
        return (await other.page(Filter(), Sort(), limit=1)).total == 1

    async def is_moved() -> bool:
        return other.counts() == {"Напитки": 1}

    async def is_gone() -> bool:
        return not other.counts()

    await within_a_second(is_listed)
    await on_cassandra.update(milk.product_id, {"category": "Напитки"})
    await within_a_second(is_moved)
    await on_cassandra.delete(milk.product_id)
    await within_a_second(is_gone)


async def test_what_sells_out_here_leaves_the_lists_there(on_cassandra: Any, other: Any) -> None:
    milk = product(stock_count=1)
    await on_cassandra.add(milk)
    await on_cassandra.reserve(ORDER, "alice", {milk.product_id: 1}, now=NOON)

    async def is_sold_out() -> bool:
        await other.page(Filter(), Sort(), limit=1)
        return (await other.page(Filter(in_stock=True), Sort(), limit=1)).total == 0

    await within_a_second(is_sold_out)


async def test_other_programs_see_the_stock_within_a_second(on_cassandra: Any, bridge: Any) -> None:
    milk = product(stock_count=10)
    await on_cassandra.add(milk)
    await on_cassandra.reserve(ORDER, "alice", {milk.product_id: 3}, now=NOON)

    async def is_told() -> bool:
        text = "SELECT quantity FROM store.products WHERE id = %s"
        return (await run(bridge, text, milk.product_id)).one()["quantity"] == 7

    await within_a_second(is_told)


async def test_two_instances_sell_the_last_unit_once(on_cassandra: Any, other: Any) -> None:
    milk = product(stock_count=5)
    await on_cassandra.add(milk)
    buyers = [
        store.reserve(uuid4(), "alice", {milk.product_id: 1}, now=NOON)
        for _ in range(20)
        for store in (on_cassandra, other)
    ]

    answers = await asyncio.gather(*buyers, return_exceptions=True)

    books = await other.stock(milk.product_id)
    assert sum(isinstance(answer, Reservation) for answer in answers) == 5
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 35
    assert (books.available, books.reserved, books.is_balanced) == (0, 5, True)


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_lost_answer_takes_the_stock_once(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    from catalog.cassandra.bridge import OutcomeUnknown

    milk = product(stock_count=10)
    await on_cassandra.add(milk)
    really, lost = bridge.together, []

    async def together(name: str, *args: Any, **kwargs: Any) -> Any:
        if name != "move_stock" or lost:
            return await really(name, *args, **kwargs)
        lost.append(name)
        if is_done:
            await really(name, *args, **kwargs)
        raise OutcomeUnknown

    monkeypatch.setattr(bridge, "together", together)
    held = await on_cassandra.reserve(ORDER, "alice", {milk.product_id: 3}, now=NOON)

    assert (held.state, lost) == (State.HELD, ["move_stock"])
    assert (await on_cassandra.stock(milk.product_id)).available == 7


async def test_an_order_that_was_left_half_made_gives_back_what_it_took(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.cassandra import reserving

    milk, bread = product(), product()
    await on_cassandra.add_all([milk, bread])

    def dies(*_: object) -> Any:
        raise RuntimeError("the process was killed here")

    monkeypatch.setattr(reserving.movements, "complete", dies)
    quantities = {milk.product_id: 2, bread.product_id: 2}
    with pytest.raises(Exception, match=r"killed|away"):
        await on_cassandra.reserve(ORDER, "alice", quantities, now=NOON)

    await on_cassandra.finish_left_behind(now=seconds(60))

    for each in (milk, bread):
        books = await on_cassandra.stock(each.product_id)
        assert (books.available, books.reserved) == (10, 0)
    assert not await on_cassandra.reservations(State.HELD, until=seconds(60), limit=10)


async def test_a_batch_that_a_paused_node_still_holds_comes_to_nothing_later(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.cassandra.bridge import StoreAway

    milk = product()
    await on_cassandra.add(milk)
    really, kept = bridge.together, []

    async def together(name: str, parts: Any) -> Any:
        if name != "move_stock" or kept:
            return await really(name, parts)
        kept.append(parts)
        raise StoreAway

    monkeypatch.setattr(bridge, "together", together)
    with pytest.raises(StoreAway):
        await on_cassandra.reserve(ORDER, "alice", {milk.product_id: 3}, now=NOON)
    held = await on_cassandra.reservations(State.HELD, until=seconds(60), limit=10)
    late = await really("move_stock", kept[0])

    notes = await run(bridge, "SELECT * FROM store.reservations_by_state")
    assert (held, late[0][0], list(notes)) == ([], False, [])
    assert (await on_cassandra.stock(milk.product_id)).available == 10


async def test_a_hundred_orders_of_a_product_with_the_longest_name_go_together(
    on_cassandra: Any,
) -> None:
    honey = product(name="Ж" * 200, stock_count=100)
    await on_cassandra.add(honey)

    held = await asyncio.gather(
        *(
            on_cassandra.reserve(uuid4(), "b" * 50, {honey.product_id: 1}, now=NOON)
            for _ in range(100)
        )
    )

    books = await on_cassandra.stock(honey.product_id)
    assert {reservation.state for reservation in held} == {State.HELD}
    assert (books.available, books.reserved, books.is_balanced) == (0, 100, True)


async def test_rows_of_other_programs_are_adopted_by_a_rebuild(
    on_cassandra: Any, bridge: Any
) -> None:
    from catalog.cassandra.changes import Changes
    from catalog.cassandra.rebuild import Rebuild

    foreign, nameless = uuid4(), uuid4()
    insert = "INSERT INTO store.products (id, name, category, price, quantity) VALUES (%s, {})"
    await run(bridge, insert.format("'Сыр', 'Сыры', 12.5, -3"), foreign)
    await run(bridge, insert.format("null, 'Сыры', 12.5, 1"), nameless)

    parts = [part async for part in Rebuild(bridge, Changes.writing(bridge)).parts(done=0)]

    async def is_listed() -> bool:
        return on_cassandra.counts() == {"Сыры": 1}

    await within_a_second(is_listed)
    assert sum(part.products for part in parts) == 1
    assert [text for part in parts for text in part.refused] == [
        f"Product {nameless} is not shown: it has no name."
    ]
    found = await on_cassandra.product(foreign)
    assert (found.stock_count, str(found.price)) == (0, "12.50")
    assert await on_cassandra.product(nameless) is None


async def test_a_check_finds_what_differs_and_mends_it(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.cassandra import audit
    from store.tasks import Tasks

    milk = product()
    await on_cassandra.add(milk)
    await on_cassandra.update(milk.product_id, {"stock_count": 4})
    await asyncio.sleep(1)  # until the quantity has followed
    await run(bridge, "UPDATE store.products SET quantity = 99 WHERE id = %s", milk.product_id)
    monkeypatch.setattr(audit, "LOOK_AGAIN_SECONDS", 0)

    tallies = [tally async for tally in audit.Audit(bridge, Tasks()).parts()]
    (found,) = [difference for tally in tallies for difference in tally.differences]
    await found.mend()

    again = [tally async for tally in audit.Audit(bridge, Tasks()).parts()]
    assert found.text == f"Product {milk.product_id} has quantity 99, and 4 by its books."
    assert not [difference for tally in again for difference in tally.differences]


async def test_an_import_adds_what_is_missing_and_says_which(on_cassandra: Any) -> None:
    """More than one statement holds, with one that is there, one that was, and one twice."""
    products = [product(name="я" * 200, description="я" * 1000) for _ in range(130)]
    was, there = products[0], products[1]
    await on_cassandra.add(was)
    await on_cassandra.update(was.product_id, {"stock_count": 3})
    await on_cassandra.delete(was.product_id)
    await on_cassandra.add(there)

    added = await on_cassandra.add_all([*products, products[2]])

    assert added == [True, False, *[True] * 128, False]
    assert (await on_cassandra.page(Filter(), Sort(), limit=1)).total == 130
    books = await on_cassandra.stock(was.product_id)
    assert (books.available, books.is_open, books.is_balanced) == (10, True, True)
