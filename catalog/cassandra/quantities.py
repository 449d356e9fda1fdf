"""``products.quantity`` follows the books, so that other tools see the stock within a second."""

import asyncio
from uuid import UUID

from catalog.cassandra.changes import Changes
from catalog.cassandra.lists import Lists
from catalog.cassandra.rows import stock_of
from store.cassandra.bridge import Bridge, StoreAway
from store.tasks import Tasks

# Many movements, one write.
GATHER_SECONDS = 0.4
AGAIN_SECONDS = 1.0


class Quantities:
    """One task for each product whose books moved a moment ago."""

    def __init__(self, bridge: Bridge, tasks: Tasks, changes: Changes, lists: Lists) -> None:
        self._bridge = bridge
        self._tasks = tasks
        self._changes = changes
        self._lists = lists
        self._pending: dict[UUID, int] = {}
        self._flipped: set[UUID] = set()

    def pending(self, product_id: UUID) -> int | None:
        """What is available, where the table does not say so yet."""
        return self._pending.get(product_id)

    def moved(self, product_id: UUID, before: int, available: int) -> None:
        if before == available:
            return
        is_followed = product_id in self._pending
        self._pending[product_id] = available
        if self._lists.restock(product_id, in_stock=available > 0):
            self._flipped.add(product_id)
        if not is_followed:
            self._tasks.start(self._follow(product_id), name=f"quantity of {product_id}")

    async def _follow(self, product_id: UUID) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while product_id in self._pending:
            try:
                await self._write(product_id)
            except StoreAway:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _write(self, product_id: UUID) -> None:
        """Until the table says what the books say: another instance may have written between."""
        available = self._pending[product_id]
        if product_id in self._flipped:
            async with self._changes.announced([product_id]):
                await self._bridge.ask("follow", stock_of(available), product_id)
            self._flipped.discard(product_id)
        else:
            await self._bridge.ask("follow", stock_of(available), product_id)
        in_the_books = await self._now(product_id)
        if in_the_books == available == self._pending[product_id]:
            del self._pending[product_id]
            return
        if self._pending[product_id] == available:
            self._pending[product_id] = in_the_books
        await asyncio.sleep(GATHER_SECONDS)

    async def _now(self, product_id: UUID) -> int:
        rows = await self._bridge.ask("available", product_id)
        return int(rows[0][0] or 0) if rows else 0
