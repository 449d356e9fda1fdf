"""The rules of stock and reservations, and how words are compared."""

from uuid import uuid4

import pytest

from catalog.domain import (
    MOVES,
    OutOfStock,
    ProductUnavailable,
    Reservation,
    ReservationClosed,
    ReservationMismatch,
    ReservedLine,
    State,
    StockLine,
    words_of,
)
from tests.catalog.examples import NOON, ORDER, product


def books(**accounts: int) -> StockLine:
    return StockLine(product_id=uuid4(), **accounts)


def reservation(state: State, quantity: int = 2) -> Reservation:
    milk = product()
    line = ReservedLine(
        product_id=milk.product_id, name=milk.name, price=milk.price, quantity=quantity
    )
    return Reservation(
        order_id=ORDER,
        user_id="alice",
        state=state,
        lines=(line,),
        created_at=NOON,
        updated_at=NOON,
    )


def test_setting_the_stock_is_booked_as_an_adjustment() -> None:
    line = books(initial=10, available=10).held(3).adjusted(20)

    assert (line.available, line.reserved, line.adjustments) == (20, 3, 13)
    assert line.is_balanced


def test_books_never_go_below_zero() -> None:
    with pytest.raises(ValueError, match="below zero"):
        books(initial=2, available=2).held(3)


@pytest.mark.parametrize("origin", [State.HELD, State.SOLD])
def test_what_comes_back_is_available_again(origin: State) -> None:
    line = books(initial=5, available=5).held(2)
    if origin is State.SOLD:
        line = line.settled(2, origin=State.HELD, state=State.SOLD)

    line = line.settled(2, origin=origin, state=State.RETURNED)

    assert (line.available, line.reserved, line.sold) == (5, 0, 0)


def test_what_comes_back_to_a_deleted_product_is_withdrawn() -> None:
    line = books(initial=5, available=5).held(2).closed()

    line = line.settled(2, origin=State.HELD, state=State.RETURNED)

    assert (line.available, line.withdrawn) == (0, 5)
    assert line.is_balanced


def test_a_product_that_comes_back_keeps_its_books() -> None:
    line = books(initial=5, available=5).held(2).closed().reopened(7)

    assert (line.available, line.reserved, line.withdrawn) == (7, 2, 3)
    assert line.is_balanced


@pytest.mark.parametrize("state", [State.RETURNED, State.RELEASED])
def test_an_ended_reservation_makes_no_move(state: State) -> None:
    assert not MOVES[state]


def test_a_sold_reservation_can_be_returned_but_not_released() -> None:
    sold = reservation(State.SOLD)

    assert sold.may_become(State.RETURNED)
    assert not sold.may_become(State.RELEASED)


def test_the_same_request_gets_the_same_reservation() -> None:
    held = reservation(State.HELD)

    assert held.asked_again("alice", held.quantities()) is held


@pytest.mark.parametrize("change", ["user", "quantity", "product"])
def test_another_request_under_the_same_id_is_refused(change: str) -> None:
    held = reservation(State.HELD)
    user = "bob" if change == "user" else "alice"
    [(product_id, quantity)] = held.quantities().items()
    wanted = {
        uuid4() if change == "product" else product_id: quantity + (change == "quantity"),
    }

    with pytest.raises(ReservationMismatch):
        held.asked_again(user, wanted)


def test_an_ended_reservation_is_never_held_again() -> None:
    ended = reservation(State.RELEASED)

    with pytest.raises(ReservationClosed):
        ended.asked_again("alice", ended.quantities())


def test_out_of_stock_says_what_is_left_of_each_product() -> None:
    milk, bread = uuid4(), uuid4()

    body = OutOfStock({milk: 2, bread: 0}).body()

    assert body["code"] == "insufficient_stock"
    assert body["errors"] == {str(milk): ["2 left."], str(bread): ["0 left."]}
    assert body["available"] == {str(milk): 2, str(bread): 0}


def test_unavailable_says_which_products() -> None:
    gone = uuid4()

    assert ProductUnavailable([gone]).body()["products"] == [str(gone)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Молоко «Домик» 3,2 %", ("молоко", "домик", "3", "2")),
        ("USB-C кабель", ("usb", "c", "кабель")),
        ("snake_case", ("snake", "case")),
        ("и\u0306огурт", ("йогурт",)),
        ("STRASSE Straße", ("strasse",)),
        ("!!!", ()),
    ],
)
def test_words_are_compared_without_case_and_composed(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words
