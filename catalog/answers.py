"""What the catalog answers, as JSON; that of a product is made once and kept with it."""

from collections.abc import Sequence

from catalog.domain import Page, Product, ProductSummary, Reservation
from catalog.listings import Listing, ReservationListing
from store import wire


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


def summary_json(item: ProductSummary) -> bytes:
    """The product as lists show it; encoded once, for a product that changes is another value."""
    known = item.encoded.get("summary")
    if known is None:
        known = item.encoded["summary"] = wire.encode(_summary(item))
    return known


def product_json(product: Product) -> bytes:
    """The whole product; encoded once."""
    known = product.encoded.get("product")
    if known is None:
        stock = {"stock_count": product.stock_count}
        texts = {"description": product.description, "manufacturer": product.manufacturer}
        known = product.encoded["product"] = wire.encode(_summary(product) | stock | texts)
    return known


def _summary(item: ProductSummary) -> dict[str, object]:
    return {
        "product_id": item.product_id,
        "name": item.name,
        "category": item.category,
        "price": item.price,
    }


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
