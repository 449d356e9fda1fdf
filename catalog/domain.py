"""Products, their books and their reservations, and the rules between them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from store.errors import Conflict, NotFound

MAX_STOCK = 2_147_483_647
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSummary:
    """What lists show of a product."""

    product_id: UUID
    name: str
    category: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(ProductSummary):
    stock_count: int
    description: str | None = None
    manufacturer: str | None = None


class ProductChanges(TypedDict, total=False):
    """What an admin may change; a key that is absent stays as it is."""

    name: str
    category: str
    price: Decimal
    stock_count: int
    description: str | None
    manufacturer: str | None


@dataclass(frozen=True, slots=True)
class CategoryCount:
    name: str
    product_count: int


class State(StrEnum):
    """Where the units of a reservation are: set aside, with the buyer, or back in stock."""

    HELD = "held"
    SOLD = "sold"
    RETURNED = "returned"
    RELEASED = "released"


MOVES: Mapping[State, frozenset[State]] = {
    State.HELD: frozenset({State.SOLD, State.RETURNED, State.RELEASED}),
    State.SOLD: frozenset({State.RETURNED}),
    State.RETURNED: frozenset(),
    State.RELEASED: frozenset(),
}
CLOSED = frozenset({State.RETURNED, State.RELEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLine:
    """The books of one product: initial + adjustments = available + reserved + sold + withdrawn.

    ``withdrawn`` is what left the shop with its product: stock at hand when the product was
    deleted, and what came back afterwards.
    """

    product_id: UUID
    initial: int
    available: int
    adjustments: int = 0
    reserved: int = 0
    sold: int = 0
    withdrawn: int = 0
    is_open: bool = True

    def __post_init__(self) -> None:
        if min(self.available, self.reserved, self.sold, self.withdrawn) < 0:
            raise ValueError(f"The books of {self.product_id} would go below zero.")

    @property
    def is_balanced(self) -> bool:
        placed = self.available + self.reserved + self.sold + self.withdrawn
        return self.initial + self.adjustments == placed

    def adjusted(self, available: int) -> "StockLine":
        """An admin says what is at hand; the difference is an adjustment."""
        change = available - self.available
        return replace(self, available=available, adjustments=self.adjustments + change)

    def closed(self) -> "StockLine":
        """The product is deleted: what was at hand is withdrawn, what is held stays held."""
        gone = self.withdrawn + self.available
        return replace(self, available=0, withdrawn=gone, is_open=False)

    def reopened(self, available: int) -> "StockLine":
        """A deleted product comes back under its old id."""
        return replace(self, is_open=True).adjusted(available)

    def held(self, quantity: int) -> "StockLine":
        return replace(self, available=self.available - quantity, reserved=self.reserved + quantity)

    def settled(self, quantity: int, *, origin: State, state: State) -> "StockLine":
        """Units of a reservation that moved from ``origin`` to ``state``, as MOVES allows."""
        if origin is State.HELD:
            line = replace(self, reserved=self.reserved - quantity)
        else:
            line = replace(self, sold=self.sold - quantity)
        if state is State.SOLD:
            return replace(line, sold=line.sold + quantity)
        if self.is_open:
            return replace(line, available=line.available + quantity)
        return replace(line, withdrawn=line.withdrawn + quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedLine:
    """One product of a reservation, with its name and price at the moment it was reserved."""

    product_id: UUID
    name: str
    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The stock of one order. One without lines and user marks an id that may never be held."""

    order_id: UUID
    user_id: str | None
    state: State
    lines: tuple[ReservedLine, ...]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def marker(cls, order_id: UUID, state: State, *, now: datetime) -> "Reservation":
        return cls(
            order_id=order_id, user_id=None, state=state, lines=(), created_at=now, updated_at=now
        )

    def may_become(self, state: State) -> bool:
        return state in MOVES[self.state]

    def moved(self, state: State, *, now: datetime) -> "Reservation":
        return replace(self, state=state, updated_at=now)

    def asked_again(self, user_id: str, quantities: Mapping[UUID, int]) -> "Reservation":
        """The answer to a repeated request. Raises ReservationClosed or ReservationMismatch."""
        if self.state in CLOSED:
            raise ReservationClosed(facts={"state": self.state})
        if (user_id, dict(quantities)) != (self.user_id, self.quantities()):
            raise ReservationMismatch
        return self

    def quantities(self) -> dict[UUID, int]:
        return {line.product_id: line.quantity for line in self.lines}


class SortBy(StrEnum):
    NAME = "name"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Sort:
    """Ties are broken by the product's id, in the same direction."""

    by: SortBy = SortBy.NAME
    descending: bool = False

    def mark(self, item: ProductSummary) -> "Mark":
        return Mark(item.name if self.by is SortBy.NAME else item.price, item.product_id)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a sorted list: the name or price, and the id, of the last product before it."""

    key: str | Decimal
    product_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """``words``: each begins a word of the name; none at all (as in ``q=!``) finds nothing."""

    category: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    words: tuple[str, ...] | None = None
    in_stock: bool = False


def words_of(text: str) -> tuple[str, ...]:
    """The distinct words of a name or a search, in the form in which they are compared."""
    folded = unicodedata.normalize("NFC", text.casefold())
    return tuple(dict.fromkeys(_WORD.findall(folded)))


@dataclass(frozen=True, slots=True)
class Page:
    """``total`` counts all that the filter finds; ``has_more`` says whether any follow."""

    items: Sequence[ProductSummary]
    total: int
    has_more: bool


class ProductNotFound(NotFound):
    code = "product_not_found"
    detail = "There is no such product."


class OutOfStock(Conflict):
    code = "insufficient_stock"
    detail = "There is not enough in stock."

    def __init__(self, available: Mapping[UUID, int]) -> None:
        """``available``: what is left of each product of which there is too little."""
        left = {str(product_id): count for product_id, count in available.items()}
        super().__init__(
            errors={product_id: [f"{count} left."] for product_id, count in left.items()},
            facts={"available": left},
        )


class ProductUnavailable(Conflict):
    code = "product_unavailable"
    detail = "A product is not sold any more."

    def __init__(self, product_ids: Iterable[UUID]) -> None:
        super().__init__(facts={"products": [str(product_id) for product_id in product_ids]})


class ReservationClosed(Conflict):
    code = "reservation_closed"
    detail = "This reservation has ended and cannot be held again."


class ReservationMismatch(Conflict):
    code = "reservation_mismatch"
    detail = "This order has reserved other items."
