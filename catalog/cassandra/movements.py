"""How the books of a product move, and the entry of the order that moves them: rules alone.

The entry under the lowest product id of an order, its *home*, is the order's reservation: what
it says holds for the whole order, and the other entries follow it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from catalog.domain import MOVES, ProductNotFound, State, StockLine

# A reservation of several products while not all of them are held; outside it counts as held.
MAKING = "making"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an order took of one product; moments in microseconds."""

    order_id: UUID
    quantity: int
    state: str
    place: int = 0
    name: str = ""
    price: Decimal = Decimal(0)
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The books and the entry after a movement.

    ``is_written`` also where they stay as they are: whatever is still under way for the order
    was decided on books that are not the present ones any more then, and comes to nothing.
    """

    line: StockLine
    entry: Entry | None
    is_written: bool = False


Movement = Callable[[StockLine | None, Entry | None], Moved]


class Gone(Exception):
    """The product is not sold any more."""


class Short(Exception):
    """There is too little of it."""

    def __init__(self, available: int) -> None:
        self.available = available
        super().__init__(available)


def take(wanted: Entry) -> Movement:
    """Holds; an entry that is there already stays as it is. Raises Gone, Short."""

    def movement(line: StockLine | None, entry: Entry | None) -> Moved:
        if line is not None and entry is not None:
            return Moved(line, entry)
        if line is None or not line.is_open:
            raise Gone
        if line.available < wanted.quantity:
            raise Short(line.available)
        return Moved(line.held(wanted.quantity), wanted)

    return movement


def complete(line: StockLine | None, entry: Entry | None) -> Moved:
    """All of the order is held now."""
    line = _kept(line)
    if entry is not None and entry.state == MAKING:
        entry = replace(entry, state=State.HELD)
    return Moved(line, entry)


def undo(line: StockLine | None, entry: Entry | None) -> Moved:
    """As if it had never been taken; only of an order that is not held as a whole."""
    line = _kept(line)
    if entry is None or entry.state not in (MAKING, State.HELD):
        return Moved(line, entry)
    return Moved(_given_back(line, entry, State.RELEASED), None)


def undo_for_good(line: StockLine | None, entry: Entry | None) -> Moved:
    """As if it had never been taken, nor ever will be by a batch that a paused node still holds."""
    return replace(undo(line, entry), is_written=True)


def settle(order_id: UUID, state: State, *, at: int) -> Movement:
    """Moves the entry to ``state`` if it may; where there is none, it can never come then."""

    def movement(line: StockLine | None, entry: Entry | None) -> Moved:
        line = _kept(line)
        if entry is None:
            if state is State.SOLD:
                return Moved(line, None)
            nothing = Entry(
                order_id=order_id, quantity=0, state=state, created_at=at, updated_at=at
            )
            return Moved(line, nothing)
        if (entry.state == MAKING and state is State.SOLD) or state not in _moves(entry.state):
            return Moved(line, entry)
        moved = replace(entry, state=state, updated_at=at)
        return Moved(_given_back(line, entry, state), moved)

    return movement


def set_available(count: int) -> Movement:
    """An admin says what is at hand. Raises ProductNotFound."""

    def movement(line: StockLine | None, entry: Entry | None) -> Moved:
        if line is None or not line.is_open:
            raise ProductNotFound
        return Moved(line if line.available == count else line.adjusted(count), entry)

    return movement


def close(line: StockLine | None, entry: Entry | None) -> Moved:
    """The product is deleted."""
    line = _kept(line)
    return Moved(line.closed() if line.is_open else line, entry)


def reopen(count: int) -> Movement:
    """The product is back under its old id."""

    def movement(line: StockLine | None, entry: Entry | None) -> Moved:
        line = _kept(line)
        return Moved(line if line.is_open else line.reopened(count), entry)

    return movement


def _kept(line: StockLine | None) -> StockLine:
    if line is None:
        raise Gone
    return line


def _moves(state: str) -> Any:
    return MOVES[State.HELD if state == MAKING else State(state)]


def _given_back(line: StockLine, entry: Entry, state: State) -> StockLine:
    origin = State.HELD if entry.state == MAKING else State(entry.state)
    return line.settled(entry.quantity, origin=origin, state=state)
