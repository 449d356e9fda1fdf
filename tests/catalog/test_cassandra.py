"""What only the store on Cassandra has to promise: several instances, other programs, crashes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from catalog.domain import Filter, OutOfStock, Reservation, Sort, State
from tests.catalog.examples import NOON, ORDER, product, seconds
from tests.node import opened

pytestmark = pytest.mark.cassandra


@pytest.fixture
async def other(on_cassandra: Any, bridge: Any) -> AsyncIterator[Any]:
    """A second instance on the same tables."""
    from catalog.cassandra.store import CassandraCatalog

    store = await opened(CassandraCatalog(bridge, keep_seconds=86400))
    yield store
    await store.close()


# To read everything anew.
SECONDS_TO_RELOAD = 10


async def within_a_second(condition: Callable[[], Any]) -> None:
    await within(1, condition)


async def within(most: float, condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(most):
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
    from store.cassandra.bridge import OutcomeUnknown

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


# In the order in which an order of two products is written down and its stock moved.
STEPS = ["enter_order", "the first", "the second", "all is held"]


def dying_at(step: int, really: Any, *, is_written: bool) -> Any:
    """Batches of an instance that ends at a step, the step's batch written or not."""
    written = 0

    async def together(name: str, parts: Any) -> Any:
        nonlocal written
        if written == step and is_written:
            await really(name, parts)
        if written >= step:
            written = len(STEPS)
            raise StoreAway
        written += 1
        return await really(name, parts)

    from store.cassandra.bridge import StoreAway

    return together


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
async def test_an_order_that_was_left_at_any_step_is_undone_or_held_as_a_whole(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch, step: int, is_written: bool
) -> None:
    from store.cassandra.bridge import StoreAway

    milk, bread = product(), product()
    await on_cassandra.add_all([milk, bread])
    quantities = {milk.product_id: 2, bread.product_id: 2}
    with monkeypatch.context() as dying:
        dying.setattr(bridge, "together", dying_at(step, bridge.together, is_written=is_written))
        with pytest.raises(StoreAway):
            await on_cassandra.reserve(ORDER, "alice", quantities, now=NOON)

    await on_cassandra.finish_left_behind(now=seconds(60))

    is_held = STEPS[step] == "all is held" and is_written
    for each in (milk, bread):
        books = await on_cassandra.stock(each.product_id)
        assert (books.available, books.reserved) == ((8, 2) if is_held else (10, 0))
    listed = await on_cassandra.reservations(State.HELD, until=seconds(60), limit=10)
    states = [row["state"] for row in await run(bridge, "SELECT state FROM store.stock")]
    assert [each.order_id for each in listed] == ([ORDER] if is_held else [])
    assert "making" not in states


async def left_half_made(store: Any, bridge: Any, order_id: Any) -> list[Any]:
    """An order of two new products, all but its last step done; the products' ids."""
    from store.cassandra.bridge import StoreAway

    products = [product(), product()]
    await store.add_all(products)
    ids = [each.product_id for each in products]
    with pytest.MonkeyPatch.context() as dying:
        together = dying_at(STEPS.index("all is held"), bridge.together, is_written=False)
        dying.setattr(bridge, "together", together)
        with pytest.raises(StoreAway):
            await store.reserve(order_id, "alice", dict.fromkeys(ids, 1), now=NOON)
    return ids


async def test_what_cassandra_did_not_answer_is_undone_by_a_later_run(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.cassandra.bridge import StoreAway

    orders = [uuid4(), uuid4()]
    ids = [each for order in orders for each in await left_half_made(on_cassandra, bridge, order)]
    really = bridge.ask

    async def ask(name: str, *parameters: Any) -> Any:
        if name == "asked" and parameters == (orders[0],):
            raise StoreAway
        return await really(name, *parameters)

    async def reserved() -> list[int]:
        return [(await on_cassandra.stock(each)).reserved for each in ids]

    with monkeypatch.context() as slow:
        slow.setattr(bridge, "ask", ask)
        await on_cassandra.finish_left_behind(now=seconds(60))
    first = await reserved()
    await on_cassandra.finish_left_behind(now=seconds(3600))

    assert (first, await reserved()) == ([1, 1, 0, 0], [0, 0, 0, 0])


async def test_the_drill_tells_of_an_order_that_stays_half_made(
    on_cassandra: Any, bridge: Any, cassandra: Any
) -> None:
    from deploy.cassandra.buyers import Tally
    from deploy.cassandra.drill import differences

    ids = [str(each) for each in await left_half_made(on_cassandra, bridge, ORDER)]
    left = await asyncio.to_thread(differences, cassandra, Tally(), ids)
    await on_cassandra.finish_left_behind(now=seconds(60))
    recovered = await asyncio.to_thread(differences, cassandra, Tally(), ids)

    assert left == [f"{min(ids)}: order {ORDER} is still being made"]
    assert recovered == []


async def test_a_batch_that_a_paused_node_still_holds_comes_to_nothing_later(
    on_cassandra: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.cassandra.bridge import StoreAway

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

    await within(SECONDS_TO_RELOAD, is_listed)
    assert sum(part.products for part in parts) == 1
    assert [text for part in parts for text in part.refused] == [
        f"Product {nameless} is not shown: it has no name."
    ]
    found = await on_cassandra.product(foreign)
    assert (found.stock_count, str(found.price)) == (0, "12.50")
    assert await on_cassandra.product(nameless) is None


@pytest.fixture
def lossy(bridge: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of statements that fail once each; a scan's, too."""
    from cassandra import OperationTimedOut

    from store.cassandra import patience
    from store.cassandra.bridge import StoreAway

    lost: set[str] = set()
    really, scan = bridge.ask, bridge.scan

    async def ask(name: str, *parameters: Any) -> Any:
        if name in lost:
            lost.remove(name)
            raise StoreAway
        return await really(name, *parameters)

    def scanned(name: str, *parameters: Any) -> Any:
        if name in lost:
            lost.remove(name)
            raise OperationTimedOut
        return scan(name, *parameters)

    monkeypatch.setattr(bridge, "ask", ask)
    monkeypatch.setattr(bridge, "scan", scanned)
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.01, 0.01))
    return lost


async def test_a_rebuild_goes_on_after_lost_statements_while_the_shop_serves(
    on_cassandra: Any, bridge: Any, lossy: set[str]
) -> None:
    from catalog.cassandra.changes import Changes
    from catalog.cassandra.rebuild import PARTS, Rebuild

    await on_cassandra.add_all([product() for _ in range(50)])
    await run(
        bridge,
        "INSERT INTO store.products (id, name, category, price, quantity)"
        " VALUES (uuid(), 'Сыр', 'Сыры', 12.5, 3)",
    )
    totals = []

    async def serves() -> None:
        while True:
            await on_cassandra.add(product())
            totals.append((await on_cassandra.page(Filter(), Sort(), limit=1)).total)

    serving = asyncio.create_task(serves())
    lossy |= {"progress", "all_products", "reach", "start_over"}
    rebuild = Rebuild(bridge, Changes.writing(bridge))
    parts = [part.number async for part in rebuild.parts(done=await rebuild.done())]
    asked = len(totals)

    async def is_adopted() -> bool:
        return on_cassandra.counts().get("Сыры") == 1 and len(totals) > asked

    await within(SECONDS_TO_RELOAD, is_adopted)
    serving.cancel()
    assert (parts, lossy) == (list(range(1, PARTS + 1)), set())
    assert totals == sorted(totals)
    assert totals[0] >= 51


async def test_a_check_asks_again_for_what_was_lost_and_gives_up_in_the_end(
    on_cassandra: Any, bridge: Any, lossy: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.cassandra.audit import Audit
    from store.cassandra.bridge import StoreAway
    from store.tasks import Tasks

    await on_cassandra.add_all([product() for _ in range(3)])
    lossy |= {"all_products", "product", "available"}
    tallies = [tally async for tally in Audit(bridge, Tasks()).parts()]

    async def never(*_: object) -> Any:
        raise StoreAway

    monkeypatch.setattr(bridge, "ask", never)
    with pytest.raises(StoreAway):
        _ = [tally async for tally in Audit(bridge, Tasks()).parts()]

    assert (sum(tally.products for tally in tallies), lossy) == (3, set())
    assert not [each for tally in tallies for each in tally.differences]


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
