"""Keeps the shelf of this instance in step with the table."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from cassandra import DriverException, RequestExecutionException
from cassandra.cluster import NoHostAvailable

from catalog.cassandra.bridge import Bridge, StoreAway
from catalog.cassandra.rows import product_of
from catalog.cassandra.shelf import Row, Shelf, rows_of
from catalog.domain import Filter, Mark, Page, Product, ProductSummary, Sort

READ_AT_ONCE = 32
RANGES = 64
LOWEST, HIGHEST = -(2**63), 2**63 - 1


class Lists:
    """Of two readings of a product the one that began later counts."""

    def __init__(self, bridge: Bridge, *, available: Callable[[UUID], int | None]) -> None:
        """``available``: what is, where the table does not say it yet."""
        self._bridge = bridge
        self._available = available
        self._shelf = Shelf()
        self._turns: dict[UUID, object] = {}
        self._touched: set[UUID] | None = None
        self._loading = asyncio.Lock()
        self.is_loaded = False

    async def load(self) -> None:
        """Reads everything; the lists show what they showed until it is done."""
        async with self._loading:
            self._touched = set()
            try:
                shelf = await asyncio.to_thread(self._read_all)
            except (DriverException, RequestExecutionException, NoHostAvailable) as error:
                self._touched = None
                self._bridge.outage.because(error)
                raise StoreAway from error
            self._shelf, touched, self._touched = shelf, self._touched, None
            await self.refresh(list(touched))
            self.is_loaded = True

    async def refresh(self, product_ids: Sequence[UUID]) -> None:
        at_once = asyncio.Semaphore(READ_AT_ONCE)

        async def one(product_id: UUID) -> None:
            async with at_once:
                turn = self.turn(product_id)
                rows = await self._bridge.ask("product", product_id)
                available = self._available(product_id)
                product = product_of(rows[0], available=available) if rows else None
                self.put(turn, product)

        await asyncio.gather(*map(one, product_ids))

    def turn(self, product_id: UUID) -> tuple[UUID, object]:
        """Whoever reads a product takes a turn before."""
        mark = self._turns[product_id] = object()
        return product_id, mark

    def put(self, turn: tuple[UUID, object], product: Product | None) -> bool:
        """False when another turn was taken since: that one's reading counts."""
        product_id, mark = turn
        if self._turns.get(product_id) is not mark:
            return False
        del self._turns[product_id]
        self._touch(product_id)
        if product is None:
            self._shelf.take(product_id.int)
        else:
            self._shelf.put(_row(product))
        return True

    def restock(self, product_id: UUID, *, in_stock: bool) -> bool:
        """Whether that was news."""
        self._touch(product_id)
        return self._shelf.restock(product_id, in_stock=in_stock)

    def find(self, product_id: UUID) -> ProductSummary | None:
        return self._shelf.find(product_id)

    def page(self, where: Filter, sort: Sort, *, limit: int, skip: int, after: Mark | None) -> Page:
        return self._shelf.page(where, sort, limit=limit, skip=skip, after=after)

    def counts(self) -> Mapping[str, int]:
        return self._shelf.counts()

    def _touch(self, product_id: UUID) -> None:
        if self._touched is not None:
            self._touched.add(product_id)

    def _read_all(self) -> Shelf:
        return Shelf(rows_of(self._scanned()))

    def _scanned(self) -> Iterator[Sequence[Any]]:
        for after, to in ranges(RANGES):
            yield from self._bridge.scan("listed_products", after, to)


def ranges(count: int) -> list[tuple[int, int]]:
    """The tokens in equal parts, each from behind its first to its last."""
    step = (HIGHEST - LOWEST) // count
    edges = [LOWEST + number * step for number in range(count)] + [HIGHEST]
    return list(pairwise(edges))


def _row(product: Product) -> Row:
    return Row(
        product.product_id,
        product.name,
        product.category,
        product.price,
        in_stock=product.stock_count > 0,
    )
