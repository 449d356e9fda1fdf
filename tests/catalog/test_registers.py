"""How long the memory store knows reservations that have ended."""

from datetime import timedelta
from uuid import UUID

import pytest

from catalog.domain import Reservation, State
from catalog.registers import Register
from tests.catalog.examples import seconds


def register(*, keep_closed: int = 100) -> Register:
    return Register(keep_sold=timedelta(seconds=60), keep_closed=keep_closed)


def put(register: Register, number: int, state: State, *, at: float) -> UUID:
    order_id = UUID(int=number)
    register.put(Reservation.marker(order_id, state, now=seconds(at)))
    return order_id


def test_a_hold_is_kept_for_ever() -> None:
    book = register()
    held = put(book, 1, State.HELD, at=0)

    put(book, 2, State.HELD, at=1_000_000)

    assert book.get(held) is not None


def test_a_sale_is_forgotten_after_its_time() -> None:
    book = register()
    old, recent = put(book, 1, State.SOLD, at=0), put(book, 2, State.SOLD, at=30)

    put(book, 3, State.HELD, at=61)

    assert book.get(old) is None
    assert book.get(recent) is not None


@pytest.mark.parametrize("state", [State.RELEASED, State.RETURNED])
def test_only_the_newest_ended_ones_are_known(state: State) -> None:
    book = register(keep_closed=3)

    orders = [put(book, number, state, at=number) for number in range(5)]

    assert [book.get(order) is not None for order in orders] == [False, False, True, True, True]


def test_a_reservation_is_listed_in_its_present_state_alone() -> None:
    book = register()
    order_id = put(book, 1, State.HELD, at=0)

    put(book, 1, State.SOLD, at=1)

    assert book.page(State.HELD, until=seconds(9), limit=5, after=None) == []
    [found] = book.page(State.SOLD, until=seconds(9), limit=5, after=None)
    assert found.order_id == order_id
