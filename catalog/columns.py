"""What the lists know of each product, in columns: a product is a row, and a row is a number.

A million products would be millions of Python objects; here they are one string each and a few
long arrays, which cost a fifth of the memory and nothing at a garbage collection.
"""

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from catalog.domain import ProductSummary
from store.money import to_kopecks

_LOW = (1 << 64) - 1


class Facts(NamedTuple):
    """Of one product; ``name`` in UTF-8, whose order is that of the code points."""

    number: int  # the id's
    name: bytes
    category: str
    kopecks: int
    in_stock: bool

    @classmethod
    def of(cls, item: ProductSummary, *, in_stock: bool) -> "Facts":
        kopecks = to_kopecks(item.price)
        return cls(item.product_id.int, item.name.encode(), item.category, kopecks, in_stock)


class Columns:
    """Rows that were removed are used again, but not while somebody holds them."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.categories: list[str] = []
        self.kopecks = array("Q")
        self.in_stock = array("B")
        self._highs, self._lows = array("Q"), array("Q")  # the halves of the ids
        self._free: list[int] = []
        self._gone: set[int] = set()  # removed, and held
        self._holds: list[dict[int, bool]] = []

    def __len__(self) -> int:
        return len(self.names) - len(self._free) - len(self._gone)

    @property
    def size(self) -> int:
        """Every row is below it."""
        return len(self.names)

    def add(self, facts: Facts) -> int:
        """Its row."""
        number, name, category, kopecks, in_stock = facts
        row = self._free.pop() if self._free else self._new_row()
        self.names[row], self.categories[row] = name, sys.intern(category)
        self.kopecks[row], self.in_stock[row] = kopecks, in_stock
        self._highs[row], self._lows[row] = number >> 64, number & _LOW
        for changed in self._holds:
            changed[row] = True
        return row

    def remove(self, row: int) -> None:
        """What was in it stays there until it is used again."""
        for changed in self._holds:
            changed[row] = False
        (self._gone.add if self._holds else self._free.append)(row)

    @contextmanager
    def held(self) -> Iterator[dict[int, bool]]:
        """Until its end rows stay as they are, but for what is in stock. It tells which rows came
        (True) and went (False) since it began.
        """
        changed: dict[int, bool] = {}
        self._holds.append(changed)
        try:
            yield changed
        finally:
            self._holds = [other for other in self._holds if other is not changed]
            for row in self._gone.intersection(changed):
                if not any(row in other for other in self._holds):
                    self._gone.remove(row)
                    self._free.append(row)

    def number(self, row: int) -> int:
        """The id's."""
        return self._highs[row] << 64 | self._lows[row]

    def name_key(self, row: int) -> tuple[bytes, int]:
        return self.names[row], self._highs[row] << 64 | self._lows[row]

    def price_key(self, row: int) -> tuple[int, int]:
        return self.kopecks[row], self._highs[row] << 64 | self._lows[row]

    def facts(self, row: int) -> Facts:
        stocked = bool(self.in_stock[row])
        place = self.number(row), self.names[row], self.categories[row]
        return Facts(*place, self.kopecks[row], stocked)

    def summary(self, row: int) -> ProductSummary:
        return ProductSummary(
            product_id=UUID(int=self.number(row)),
            name=self.names[row].decode(),
            category=self.categories[row],
            price=Decimal(self.kopecks[row]).scaleb(-2),
        )

    def _new_row(self) -> int:
        self.names.append(b"")
        self.categories.append("")
        for column in (self.kopecks, self.in_stock, self._highs, self._lows):
            column.append(0)
        return len(self.names) - 1
