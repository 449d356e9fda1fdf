"""The table of an order's life, and the rules that read it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from orders.domain import (
    LIFECYCLE,
    OPEN,
    Destination,
    Line,
    Offer,
    Order,
    OutboxMessage,
    PendingOrder,
    Role,
    Stage,
    Status,
    lifecycle,
    messages_of,
)
from orders.domain.errors import (
    CancellationForbidden,
    IllegalTransition,
    NotYourOrder,
    PriceChanged,
    ProductTwice,
    TotalMismatch,
)
from tests.orders.peers import START
from tests.orders.world import ALICE, BOB, BOSS, DELIVERY, TIMETABLE

KETTLE = uuid4()


def pending(*lines: Line, total: str = "20.00") -> PendingOrder:
    lines = lines or (Line(KETTLE, 2, Decimal("10.00")),)
    return PendingOrder(uuid4(), "alice", lines, Decimal(total), START + timedelta(seconds=60))


def order(status: Status = Status.CREATED) -> Order:
    offers = {KETTLE: Offer("Чайник", Decimal("10.00"))}
    made = pending().ordered(offers, at=START, delivery=DELIVERY, timetable=TIMETABLE)
    return replace(made, status=status)


def is_lawful(before: Status, after: Status) -> bool:
    return after is LIFECYCLE[before].next or (after is Status.CANCELLED and before in OPEN)


def test_the_clock_leads_from_created_to_delivered() -> None:
    path = [Status.CREATED]
    while following := LIFECYCLE[path[-1]].next:
        path.append(following)
    assert path == [Status.CREATED, Status.PROCESSING, Status.SHIPPING, Status.DELIVERED]


@pytest.mark.parametrize(
    "change",
    [
        {Status.SHIPPING: Stage(Status.CREATED, frozenset({Role.ADMIN}))},
        {Status.PROCESSING: Stage(Status.DELIVERED, frozenset(Role))},
        {Status.CANCELLED: Stage(Status.CREATED, frozenset(Role))},
        {Status.DELIVERED: Stage(cancelled_by=frozenset(Role))},
        {Status.SHIPPING: Stage(Status.DELIVERED)},
    ],
    ids=["a circle", "a status is left out", "the dead rise", "sold is sold", "nobody may"],
)
def test_a_table_in_which_an_order_gets_lost_is_refused(change: dict[Status, Stage]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        lifecycle.check({**LIFECYCLE, **change})


def test_a_table_without_a_status_is_refused() -> None:
    with pytest.raises(ValueError, match="one row"):
        lifecycle.check({Status.CREATED: Stage()})


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_by_hand_an_order_goes_one_step_or_is_cancelled(before: Status, after: Status) -> None:
    if is_lawful(before, after):
        assert order(before).set_to(after, at=START, timetable=TIMETABLE).status is after
    else:
        with pytest.raises(IllegalTransition):
            order(before).set_to(after, at=START, timetable=TIMETABLE)


@pytest.mark.parametrize("status", [Status.CREATED, Status.PROCESSING])
@pytest.mark.parametrize("role", Role)
def test_before_shipping_owner_and_admin_may_cancel(status: Status, role: Role) -> None:
    cancelled = order(status).cancelled(role, at=START, timetable=TIMETABLE)
    assert cancelled.status is Status.CANCELLED


def test_on_its_way_only_an_admin_cancels() -> None:
    shipping = order(Status.SHIPPING)
    with pytest.raises(CancellationForbidden):
        shipping.cancelled(Role.OWNER, at=START, timetable=TIMETABLE)
    assert shipping.cancelled(Role.ADMIN, at=START, timetable=TIMETABLE).version == 2


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.CANCELLED])
@pytest.mark.parametrize("role", Role)
def test_what_is_over_cannot_be_cancelled(status: Status, role: Role) -> None:
    with pytest.raises(IllegalTransition):
        order(status).cancelled(role, at=START, timetable=TIMETABLE)


def test_the_owner_an_admin_and_a_stranger_are_told_apart() -> None:
    assert order().role_of(ALICE) is Role.OWNER
    assert order().role_of(BOSS) is Role.ADMIN
    with pytest.raises(NotYourOrder):
        order().role_of(BOB)


def test_the_clock_counts_a_step_from_when_it_was_due() -> None:
    step = order().advanced(TIMETABLE)
    assert (step.updated_at, step.next_at) == (
        START + timedelta(seconds=5),
        START + timedelta(seconds=10),
    )


def test_a_step_by_hand_starts_the_clock_anew() -> None:
    at = START + timedelta(seconds=2)
    step = order().set_to(Status.PROCESSING, at=at, timetable=TIMETABLE)
    assert (step.updated_at, step.next_at) == (at, at + timedelta(seconds=5))


def test_a_clock_that_was_set_back_does_not_turn_history() -> None:
    step = order().set_to(Status.PROCESSING, at=START - timedelta(hours=1), timetable=TIMETABLE)
    assert step.updated_at == START


@pytest.mark.parametrize(
    ("status", "seconds"),
    [
        (Status.CREATED, 5),
        (Status.PROCESSING, 5),
        (Status.SHIPPING, 100),
        (Status.DELIVERED, 300),
        (Status.CANCELLED, 24 * 3600),
    ],
)
def test_each_status_has_its_time(status: Status, seconds: int) -> None:
    assert TIMETABLE.stay(status, delivery=DELIVERY) == timedelta(seconds=seconds)


def test_an_order_carries_the_names_of_the_catalog() -> None:
    assert [line.name for line in order().lines] == ["Чайник"]


def test_another_price_makes_no_order_and_is_named() -> None:
    offers = {KETTLE: Offer("Чайник", Decimal("12.5"))}
    with pytest.raises(PriceChanged) as changed:
        pending().ordered(offers, at=START, delivery=DELIVERY, timetable=TIMETABLE)
    body = changed.value.body()
    assert body["errors"] == {str(KETTLE): ["The price is now 12.50."]}
    assert body["prices"] == {str(KETTLE): Decimal("12.5")}


def test_the_total_is_the_sum_to_the_kopeck() -> None:
    pending(Line(KETTLE, 3, Decimal("99.99")), total="299.97").check()
    with pytest.raises(TotalMismatch):
        pending(Line(KETTLE, 3, Decimal("99.99")), total="299.96").check()


def test_a_product_stands_in_one_line() -> None:
    line = Line(KETTLE, 1, Decimal("10.00"))
    with pytest.raises(ProductTwice):
        pending(line, line).check()


def told(messages: list[OutboxMessage]) -> set[tuple[str, str]]:
    return {(message.destination, message.kind) for message in messages}


@pytest.mark.parametrize(
    ("status", "move"),
    [
        (Status.CREATED, {(Destination.CATALOG, "sold")}),
        (Status.PROCESSING, set()),
        (Status.SHIPPING, set()),
        (Status.DELIVERED, set()),
        (Status.CANCELLED, {(Destination.CATALOG, "return")}),
    ],
)
def test_accounts_hears_of_every_status_and_the_catalog_of_stock(
    status: Status, move: set[tuple[str, str]]
) -> None:
    assert told(messages_of(order(status))) == move | {(Destination.ACCOUNTS, "notify")}


def test_the_news_says_who_what_when_and_which_version() -> None:
    made = order()
    assert messages_of(made)[0].payload == {
        "order_id": made.id,
        "user_id": "alice",
        "status": Status.CREATED,
        "updated_at": START,
        "total": Decimal("20.00"),
        "version": 1,
    }
