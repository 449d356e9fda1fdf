"""What every store of orders keeps, whichever it is."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders.domain import (
    Destination,
    Final,
    Line,
    Offer,
    Order,
    PendingOrder,
    Refusal,
    Status,
    messages_of,
    release,
)
from orders.domain.errors import TooManyOpenOrders
from orders.memory import MemoryOrders
from orders.repositories import OrderRepository, Overtaken
from tests.orders.conftest import ON_CASSANDRA
from tests.orders.peers import START
from tests.orders.world import DELIVERY, TIMETABLE

KETTLE = uuid4()
MANY = 1000
GONE = Refusal("order_expired", "Too late.")


@pytest.fixture(params=["in_memory", "in_journal", "reopened", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> OrderRepository:
    found: OrderRepository = request.getfixturevalue(request.param)
    return found


def pending(user_id: str = "alice") -> PendingOrder:
    lines = (Line(KETTLE, 1, Decimal("10.00")),)
    return PendingOrder(uuid4(), user_id, lines, Decimal("10.00"), START + timedelta(seconds=60))


def order_of(begun: PendingOrder, *, second: float = 0) -> Order:
    return begun.ordered(
        {KETTLE: Offer("Чайник", Decimal("10.00"))},
        at=START + timedelta(seconds=second),
        delivery=DELIVERY,
        timetable=TIMETABLE,
    )


async def stored(
    repository: OrderRepository, *, user_id: str = "alice", second: float = 0
) -> Order:
    begun = pending(user_id)
    await repository.begin(begun, most_open=MANY)
    order = order_of(begun, second=second)
    await repository.commit(order, expected_version=0, messages=messages_of(order))
    return order


async def step(repository: OrderRepository, order: Order) -> Order:
    after = order.advanced(TIMETABLE)
    await repository.commit(after, expected_version=order.version, messages=messages_of(after))
    return after


async def cancelled(repository: OrderRepository, order: Order) -> Order:
    after = order.set_to(Status.CANCELLED, at=order.updated_at, timetable=TIMETABLE)
    await repository.commit(after, expected_version=order.version, messages=messages_of(after))
    return after


async def deliver_all(repository: OrderRepository, order: Order) -> None:
    for destination in Destination:
        while message := await repository.next_message(destination, order.id):
            await repository.delivered([message])


def final_of(ended: PendingOrder | Order) -> Final:
    answer = ended if isinstance(ended, Order) else GONE
    return Final.of(ended, answer, at=START)


async def ids(
    repository: OrderRepository, *, user_id: str | None = None, status: Status | None = None
) -> list[UUID]:
    page = await repository.page(limit=100, user_id=user_id, status=status)
    return [order.id for order in page]


async def test_an_id_is_unknown_then_pending_then_an_order(repository: OrderRepository) -> None:
    begun = pending()
    assert await repository.find(begun.id) is None
    await repository.begin(begun, most_open=MANY)
    assert await repository.find(begun.id) == begun
    order = order_of(begun)
    await repository.commit(order, expected_version=0, messages=[])
    assert await repository.find(begun.id) == order


async def test_what_is_pending_is_in_no_list(repository: OrderRepository) -> None:
    begun = pending()
    await repository.begin(begun, most_open=MANY)
    assert await ids(repository) == []
    assert await repository.pending() == [begun]


async def test_an_id_begins_once(repository: OrderRepository) -> None:
    begun = pending()
    await repository.begin(begun, most_open=MANY)
    with pytest.raises(Overtaken):
        await repository.begin(begun, most_open=MANY)


async def test_pending_and_open_orders_count_towards_the_cap(repository: OrderRepository) -> None:
    await stored(repository)
    await repository.begin(pending(), most_open=2)
    with pytest.raises(TooManyOpenOrders):
        await repository.begin(pending(), most_open=2)
    await repository.begin(pending("bob"), most_open=1)


async def test_what_is_over_or_forgotten_makes_room(repository: OrderRepository) -> None:
    await cancelled(repository, await stored(repository))
    begun = pending()
    await repository.begin(begun, most_open=1)
    await repository.forget(begun)
    await repository.begin(begun, most_open=1)
    await repository.refuse(final_of(begun), [])
    await repository.begin(pending(), most_open=1)


async def test_a_version_is_written_once(repository: OrderRepository) -> None:
    order = await stored(repository)
    await step(repository, order)
    with pytest.raises(Overtaken):
        await cancelled(repository, order)
    assert [found.status for found in await repository.page(limit=1)] == [Status.PROCESSING]


async def test_a_write_that_was_overtaken_leaves_no_message(repository: OrderRepository) -> None:
    order = await stored(repository)
    await step(repository, order)
    before = repository.undelivered(Destination.CATALOG)
    with pytest.raises(Overtaken):
        await cancelled(repository, order)
    assert repository.undelivered(Destination.CATALOG) == before


async def test_a_refused_id_stays_refused(repository: OrderRepository) -> None:
    begun = pending()
    await repository.begin(begun, most_open=MANY)
    await repository.refuse(final_of(begun), [release(begun.id)])
    assert await repository.find(begun.id) == final_of(begun)
    assert await repository.pending() == []
    with pytest.raises(Overtaken):
        await repository.commit(order_of(begun), expected_version=0, messages=[])


async def test_an_unknown_id_can_be_closed_but_an_order_cannot(
    repository: OrderRepository,
) -> None:
    unknown = final_of(pending())
    await repository.refuse(unknown, [])
    assert await repository.find(unknown.id) == unknown
    order = await stored(repository)
    with pytest.raises(Overtaken):
        await repository.refuse(replace(unknown, id=order.id), [])


async def test_lists_are_newest_first_by_user_and_by_status(repository: OrderRepository) -> None:
    first = await stored(repository, second=1)
    second = await stored(repository, second=2, user_id="bob")
    third = await stored(repository, second=3)
    await step(repository, first)
    assert await ids(repository) == [third.id, second.id, first.id]
    assert await ids(repository, user_id="alice") == [third.id, first.id]
    assert await ids(repository, status=Status.CREATED) == [third.id, second.id]
    assert await ids(repository, user_id="alice", status=Status.PROCESSING) == [first.id]
    assert await ids(repository, user_id="nobody") == []


@pytest.mark.parametrize("user_id", [None, "alice"])
async def test_pages_lose_and_repeat_nothing_although_times_are_equal(
    repository: OrderRepository, user_id: str | None
) -> None:
    orders = [await stored(repository, second=second // 3) for second in range(10)]
    for order in orders[::2]:
        await step(repository, order)
    seen: list[UUID] = []
    before = None
    while page := await repository.page(limit=3, user_id=user_id, before=before):
        seen += [order.id for order in page]
        before = page[-1].created_at, page[-1].id
    assert len(seen) == 10
    assert seen == await ids(repository)
    assert set(seen) == {order.id for order in orders}


async def test_what_is_due_comes_in_the_order_of_its_time(repository: OrderRepository) -> None:
    late = await stored(repository, second=2)
    early = await stored(repository, second=1)
    assert await repository.next_due() == early.next_at
    assert await repository.due(START + timedelta(seconds=5), limit=10) == []
    due = await repository.due(START + timedelta(seconds=7), limit=10)
    assert [order.id for order in due] == [early.id, late.id]
    assert len(await repository.due(START + timedelta(seconds=7), limit=1)) == 1


async def test_a_step_moves_the_due_time(repository: OrderRepository) -> None:
    order = await stored(repository)
    after = await step(repository, order)
    assert await repository.next_due() == after.next_at


async def test_what_is_over_is_due_only_when_its_news_is_delivered(
    repository: OrderRepository,
) -> None:
    over = await cancelled(repository, await stored(repository))
    assert await repository.next_due() is None
    await deliver_all(repository, over)
    assert await repository.due(over.next_at, limit=1) == [over]


async def test_the_last_delivery_tells_when_the_order_is_due(repository: OrderRepository) -> None:
    over = await cancelled(repository, await stored(repository))
    answers = []
    for destination in Destination:
        while message := await repository.next_message(destination, over.id):
            answers.append(await repository.delivered([message]))
    assert answers == [[], [], [], [over.next_at]]


async def test_an_order_with_news_to_tell_is_not_deleted(repository: OrderRepository) -> None:
    over = await cancelled(repository, await stored(repository))
    with pytest.raises(Overtaken):
        await repository.delete(over, final_of(over))
    await deliver_all(repository, over)
    await repository.delete(over, final_of(over))
    assert await ids(repository) == []
    assert await repository.find(over.id) == final_of(over)
    assert await repository.next_due() is None


async def test_messages_leave_in_the_order_in_which_they_were_written(
    repository: OrderRepository,
) -> None:
    order = await stored(repository)
    await cancelled(repository, await step(repository, order))
    sequences = []
    while message := await repository.next_message(Destination.ACCOUNTS, order.id):
        sequences.append(message.sequence)
        await repository.delivered([message])
        await repository.delivered([message])
    assert sequences == [1, 2, 3]
    assert repository.undelivered(Destination.ACCOUNTS) == 0
    assert repository.undelivered(Destination.CATALOG) == 2


async def test_it_is_known_who_waits_for_what(repository: OrderRepository) -> None:
    order = await stored(repository)
    assert await repository.waiting(Destination.CATALOG) == [order.id]
    message = await repository.next_message(Destination.CATALOG, order.id)
    assert message is not None
    await repository.delivered([message])
    assert await repository.waiting(Destination.CATALOG) == []
    assert await repository.waiting(Destination.ACCOUNTS) == [order.id]
    assert await repository.next_message(Destination.CATALOG, order.id) is None


@pytest.mark.parametrize("repository", ["in_memory", "in_journal", "reopened"], indirect=True)
async def test_final_answers_are_kept_for_a_day(repository: OrderRepository) -> None:
    """On Cassandra they go by themselves: see test_cassandra.py."""
    final = final_of(pending())
    await repository.refuse(final, [])
    assert await repository.prune(START + timedelta(hours=23)) == 0
    assert await repository.prune(START + timedelta(hours=24)) == 1
    assert await repository.find(final.id) is None


async def test_the_figures_are_true(repository: OrderRepository) -> None:
    order = await stored(repository)
    await stored(repository)
    assert repository.open_orders() == 2
    await cancelled(repository, order)
    assert repository.open_orders() == 1
    assert repository.orders_in(Status.CREATED) == 1
    assert repository.orders_in(Status.CANCELLED) == 1
    assert repository.undelivered(Destination.ACCOUNTS) == 3


async def test_the_memory_store_bounds_its_final_answers() -> None:
    repository = MemoryOrders(most_finals=2)
    finals = [final_of(pending()) for _ in range(3)]
    for final in finals:
        await repository.refuse(final, [])
    assert await repository.find(finals[0].id) is None
    assert [await repository.find(final.id) for final in finals[1:]] == finals[1:]


async def test_what_was_dropped_before_its_time_is_not_said_to_be_remembered() -> None:
    repository = MemoryOrders(most_finals=2)
    begun = pending()
    assert repository.remembers_since(START) == START - timedelta(hours=24)
    for minute in range(3):
        at = START + timedelta(minutes=minute)
        await repository.refuse(Final.of(replace(begun, id=uuid4()), GONE, at=at), [])

    assert repository.remembers_since(START) == START + timedelta(minutes=1)
