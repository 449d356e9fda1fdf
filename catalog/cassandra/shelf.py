"""The lists of this instance: name, category, price and "in stock" of every product, in memory.

Cassandra keeps the products; what is sorted, counted and searched is kept here, built at start
and kept up to date from the log of changes (changes.py).
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from catalog.cassandra.rows import stock_of, why_refused
from catalog.domain import Filter, Mark, Page, ProductSummary, Sort, words_of
from catalog.indexes import Shelves
from catalog.runs import Item, Key
from store.money import to_kopecks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(ProductSummary):
    """``stock_count`` is 1 for whatever is in stock."""

    stock_count: int


class Row(Item):
    """What the lists need of a product, in as little memory as they can."""

    __slots__ = ("category", "in_stock")

    def __init__(
        self, product_id: UUID, name: str, category: str, price: Decimal, *, in_stock: bool
    ) -> None:
        self.category = category
        self.in_stock = in_stock
        self.name_key: Key = (name, product_id.int, self)
        self.price_key: Key = (to_kopecks(price), self.name_key[1], self)

    @property
    def product(self) -> Any:  # type: ignore[override]
        name, number, _ = self.name_key
        return Listed(
            product_id=UUID(int=number),
            name=name,
            category=self.category,
            price=Decimal(self.price_key[0]).scaleb(-2),
            stock_count=int(self.in_stock),
        )

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        return words_of(self.name_key[0])

    def says_the_same_as(self, other: "Row") -> bool:
        return (
            self.name_key[:2] == other.name_key[:2]
            and self.price_key[:1] == other.price_key[:1]
            and (self.category, self.in_stock) == (other.category, other.in_stock)
        )


class Shelf:
    """All rows, by id and on the shelves."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = {row.name_key[1]: row for row in rows}
        self._shelves = Shelves()
        self._shelves.fill(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row) -> None:
        known = self._rows.get(row.name_key[1])
        if known is not None and known.says_the_same_as(row):
            return
        self.take(row.name_key[1])
        self._rows[row.name_key[1]] = row
        self._shelves.add(row)

    def take(self, number: int) -> None:
        """``number`` is the id's; nothing happens where it is not there."""
        row = self._rows.pop(number, None)
        if row is not None:
            self._shelves.remove(row)

    def restock(self, product_id: UUID, *, in_stock: bool) -> bool:
        """Whether that was news."""
        row = self._rows.get(product_id.int)
        if row is None or row.in_stock == in_stock:
            return False
        name, number, _ = row.name_key
        price = Decimal(row.price_key[0]).scaleb(-2)
        self.put(Row(UUID(int=number), name, row.category, price, in_stock=in_stock))
        return True

    def find(self, product_id: UUID) -> ProductSummary | None:
        row = self._rows.get(product_id.int)
        return None if row is None else row.product

    def page(self, where: Filter, sort: Sort, *, limit: int, skip: int, after: Mark | None) -> Page:
        return self._shelves.page(where, sort, limit=limit, skip=skip, after=after)

    def counts(self) -> Mapping[str, int]:
        return self._shelves.counts()


def rows_of(scanned: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """Of (id, name, category, price, quantity); rows that are no products are left out."""
    categories: dict[str, str] = {}
    refused = 0
    for product_id, name, category, price, quantity in scanned:
        if why_refused(name, category, price) is not None:
            refused += 1
            continue
        # A million rows share a few names of categories.
        shared = categories.setdefault(category, category)
        yield Row(product_id, name, shared, price, in_stock=stock_of(quantity) > 0)
    if refused:
        log.warning("%s rows of products are not shown; check_catalog says why", refused)
