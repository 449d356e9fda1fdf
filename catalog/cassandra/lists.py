"""The lists of this instance, in memory, and in step with the table."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from cassandra import DriverException, RequestExecutionException
from cassandra.cluster import NoHostAvailable

from catalog.cassandra.reading import read_shelves
from catalog.cassandra.rows import product_of
from catalog.columns import Facts
from catalog.domain import Filter, Mark, Page, Product, ProductSummary, Sort
from catalog.indexes import Shelves
from store.cassandra.bridge import Bridge, StoreAway

READ_AT_ONCE = 32


class Lists:
    """Of two readings of a product the one that began later counts."""

    def __init__(self, bridge: Bridge, *, available: Callable[[UUID], int | None]) -> None:
        """``available``: what is, where the table does not say it yet."""
        self._bridge = bridge
        self._available = available
        self._shelves = Shelves()
        self._turns: dict[UUID, object] = {}
        self._touched: set[UUID] | None = None
        self._loading = asyncio.Lock()
        self.is_loaded = False

    async def load(self) -> None:
        """Reads everything; the lists show what they showed until it is done."""
        async with self._loading:
            self._touched = set()
            try:
                shelves = await read_shelves(self._bridge)
            except (DriverException, RequestExecutionException, NoHostAvailable) as error:
                self._touched = None
                self._bridge.outage.because(error)
                raise StoreAway from error
            self._shelves, touched, self._touched = shelves, self._touched, None
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
            self._shelves.remove(product_id.int)
        else:
            self._shelves.put(Facts.of(product, in_stock=product.stock_count > 0))
        return True

    def restock(self, product_id: UUID, *, in_stock: bool) -> bool:
        """Whether that was news."""
        self._touch(product_id)
        row = self._shelves.row(product_id.int)
        return row is not None and self._shelves.restock(row, in_stock=in_stock)

    def find(self, product_id: UUID) -> ProductSummary | None:
        row = self._shelves.row(product_id.int)
        return None if row is None else self._shelves.columns.summary(row)

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int, after: Mark | None
    ) -> Page:
        shelves = self._shelves
        found = await shelves.page(where, sort, limit=limit, skip=skip, after=after)
        items = list(map(shelves.columns.summary, found.rows))
        return Page(items, found.total, found.has_more)

    def counts(self) -> Mapping[str, int]:
        return self._shelves.counts()

    def _touch(self, product_id: UUID) -> None:
        if self._touched is not None:
            self._touched.add(product_id)
