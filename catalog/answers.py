"""What the catalog answers, as JSON; what was made of a product lately is kept."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from catalog.domain import Page, Product, ProductSummary, Reservation, StockLine
from catalog.listings import Listing, ReservationListing, books_cursor
from store.kept import Kept


def page_data(page: Page, asked: Listing) -> dict[str, object]:
    cursor = None
    if page.has_more:
        cursor = asked.cursor_after(asked.sort.mark(page.items[-1]), rows=len(page.items))
    return {
        "items": summary_json.each(page.items),
        "total": page.total,
        "page": asked.offset // asked.limit + 1,
        "pages": max(1, -(-page.total // asked.limit)),
        "has_next": page.has_more,
        "has_prev": asked.offset > 0,
        "next_cursor": cursor,
    }


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
summary_json = Kept(_summary)
product_json = Kept(_whole)


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
