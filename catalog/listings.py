"""What a list was asked for: filter, sort, page and cursor, out of the query string."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import QueryDict

from catalog.domain import Filter, Mark, Reservation, Sort, SortBy, State, words_of
from catalog.serializers import DESCENDING, ProductQuerySerializer
from store import wire
from store.errors import Invalid
from store.paging import decode_cursor, encode_cursor
from store.remembered import short_texts

BOOKS = "books of the stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page that was asked for. ``offset`` counts the rows before it; a cursor carries them."""

    where: Filter
    sort: Sort
    limit: int
    offset: int
    after: Mark | None
    scope: str

    def cursor_after(self, mark: Mark, *, rows: int) -> str:
        """The cursor of the page that follows the ``rows`` of this one, which end at ``mark``."""
        return encode_cursor(self.scope, [str(mark.key), mark.product_id.hex, self.offset + rows])


@short_texts
def listing(query_string: str, category: str | None = None) -> Listing:
    """The page that a query string asks for. Raises Invalid."""
    data = QueryDict(query_string, mutable=True)
    if category is not None:
        data["category"] = category
    query = ProductQuerySerializer(data=data)
    if not query.is_valid():
        raise Invalid(errors=query.errors)
    asked = query.validated_data
    where = _filter(asked)
    sort = Sort(SortBy(asked["sort_by"]), asked["sort_order"] == DESCENDING)
    scope = _scope(where, sort)
    after, offset = None, asked["skip"]
    if "cursor" in asked:
        key, product_id, offset = decode_cursor(scope, asked["cursor"])
        after = Mark(key if sort.by is SortBy.NAME else Decimal(key), UUID(product_id))
    return Listing(
        where=where, sort=sort, limit=asked["limit"], offset=offset, after=after, scope=scope
    )


def _filter(asked: Mapping[str, Any]) -> Filter:
    return Filter(
        category=asked.get("category"),
        min_price=asked.get("min_price"),
        max_price=asked.get("max_price"),
        words=words_of(asked["q"]) if asked.get("q", "").strip() else None,
        in_stock=asked["in_stock"],
    )


def _scope(where: Filter, sort: Sort) -> str:
    prices = [where.min_price, where.max_price]
    filters = [where.category, *prices, where.words, where.in_stock]
    return wire.encode(["products", *filters, sort.by, sort.descending]).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationListing:
    """A page of the reservations that have been in ``state`` for ``seconds`` or longer."""

    state: State
    seconds: int
    limit: int
    after: tuple[datetime, UUID] | None
    scope: str

    def cursor_after(self, reservation: Reservation) -> str:
        key = [reservation.updated_at.isoformat(), reservation.order_id.hex]
        return encode_cursor(self.scope, key)


def reservation_listing(query: Mapping[str, Any]) -> ReservationListing:
    state, seconds = State(query["state"]), query["older_than"]
    scope = f"reservations {state} {seconds}"
    after = None
    if "cursor" in query:
        moment, order_id = decode_cursor(scope, query["cursor"])
        after = datetime.fromisoformat(moment), UUID(order_id)
    return ReservationListing(
        state=state, seconds=seconds, limit=query["limit"], after=after, scope=scope
    )


def books_place(cursor: str | None) -> UUID | None:
    """Behind which product a page of the books begins."""
    return UUID(decode_cursor(BOOKS, cursor)[0]) if cursor else None


def books_cursor(last: UUID | None) -> str | None:
    return encode_cursor(BOOKS, [last.hex]) if last else None
