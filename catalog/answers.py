"""What the catalog answers, as JSON; what was made of a product lately is kept."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from catalog.domain import Page, Product, ProductSummary, Reservation, StockLine
from catalog.listings import Listing, ReservationListing, books_cursor
from store import wire

# Some 5 MB at most.
MAX_KEPT = 10_000


def page_json(page: Page, asked: Listing) -> bytes:
    rows = b",".join([summary_json(item) for item in page.items])
    return b'{"items":[%b],%b' % (rows, wire.encode(_frame(page, asked))[1:])


def _frame(page: Page, asked: Listing) -> dict[str, object]:
    """All of a page but its items."""
    cursor = None
    if page.has_more:
        cursor = asked.cursor_after(asked.sort.mark(page.items[-1]), rows=len(page.items))
    return {
        "total": page.total,
        "page": asked.offset // asked.limit + 1,
        "pages": max(1, -(-page.total // asked.limit)),
        "has_next": page.has_more,
        "has_prev": asked.offset > 0,
        "next_cursor": cursor,
    }


class Kept:
    """What was encoded lately; a product that changes is another value, found by being the same."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self._encode = encode
        # An entry holds its product, so that no other one can have the same id() meanwhile.
        self._known: OrderedDict[int, tuple[ProductSummary, bytes]] = OrderedDict()

    def __call__(self, item: ProductSummary) -> bytes:
        known = self._known.get(id(item))
        if known is None:
            if len(self._known) >= MAX_KEPT:
                self._known.popitem(last=False)
            known = self._known[id(item)] = item, self._encode(item)
        return known[1]


def _summary(item: ProductSummary) -> dict[str, object]:
    return {
        "product_id": item.product_id,
        "name": item.name,
        "category": item.category,
        "price": item.price,
    }


def _whole(product: Product) -> dict[str, object]:
    stock = {"stock_count": product.stock_count}
    texts = {"description": product.description, "manufacturer": product.manufacturer}
    return _summary(product) | stock | texts


# The product as lists show it, and the whole of it.
summary_json = Kept(lambda item: wire.encode(_summary(item)))
product_json = Kept(lambda product: wire.encode(_whole(product)))


def reservation_data(reservation: Reservation) -> dict[str, object]:
    lines = [
        {
            "product_id": line.product_id,
            "name": line.name,
            "price": line.price,
            "quantity": line.quantity,
        }
        for line in reservation.lines
    ]
    return {"order_id": reservation.order_id, "state": reservation.state, "items": lines}


def reservations_data(found: Sequence[Reservation], asked: ReservationListing) -> dict[str, object]:
    """``found`` has one more than was asked for when another page follows."""
    shown = found[: asked.limit]
    items = [
        reservation_data(reservation)
        | {"user_id": reservation.user_id, "created_at": reservation.created_at}
        for reservation in shown
    ]
    cursor = asked.cursor_after(shown[-1]) if len(found) > asked.limit else None
    return {"items": items, "next_cursor": cursor}


def books_data(found: Sequence[StockLine], last: UUID | None, *, kept: float) -> dict[str, object]:
    """``kept``: the seconds for which a reservation is listed once it is sold."""
    items = [asdict(line) for line in found]
    return {"items": items, "next_cursor": books_cursor(last), "sold_kept_seconds": int(kept)}
