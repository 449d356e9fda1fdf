"""Many products that come with their ids, several times as fast as one by one.

A product without books was never here; it is written as if some seconds ago, so that whatever is
decided about it from now on counts, whichever clocks are behind. Two imports of one id at the
same moment have to say the same of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from uuid import UUID

from catalog.cassandra.changes import SKEW_SECONDS
from catalog.cassandra.lists import Lists
from catalog.cassandra.rows import values_of
from catalog.domain import Product
from store.cassandra.bridge import Bridge

ASKED_TOGETHER = 100
# Of larger batches a Cassandra as it comes would warn in its log.
BATCH_ROWS, BATCH_BYTES = 10, 4500
ROW_BYTES = 120  # beside its texts


class Imports:
    """``add`` stores one product that has books already."""

    def __init__(
        self, bridge: Bridge, lists: Lists, *, add: Callable[[Product], Awaitable[bool]]
    ) -> None:
        self._bridge = bridge
        self._lists = lists
        self._add = add

    async def add_all(self, products: Sequence[Product]) -> list[bool]:
        """Whether each was added; False for those that are there already."""
        added: list[bool] = []
        for start in range(0, len(products), ASKED_TOGETHER):
            added += await self._add_some(products[start : start + ASKED_TOGETHER])
        return added

    async def _add_some(self, products: Sequence[Product]) -> list[bool]:
        ids = [product.product_id for product in products]
        known, booked = await asyncio.gather(
            self._bridge.ask("known_products", ids), self._bridge.ask("known_books", ids)
        )
        there, was_there = {row[0] for row in known}, {row[0] for row in booked}
        new = {each.product_id: each for each in products if each.product_id not in there}
        fresh = [each for product_id, each in new.items() if product_id not in was_there]
        await self._put(fresh)
        back = [each for product_id, each in new.items() if product_id in was_there]
        is_back = await asyncio.gather(*map(self._add, back))
        added = {each.product_id for each in fresh}
        added |= {each.product_id for each, is_new in zip(back, is_back, strict=True) if is_new}
        return _once_each(ids, added)

    async def _put(self, products: Sequence[Product]) -> None:
        turns = [self._lists.turn(product.product_id) for product in products]
        await self._write(products)
        pairs = zip(turns, products, strict=True)
        beaten = [each.product_id for turn, each in pairs if not self._lists.put(turn, each)]
        await self._lists.refresh(beaten)

    async def _write(self, products: Sequence[Product]) -> None:
        written_at = time.time_ns() // 1000 - SKEW_SECONDS * 1_000_000
        await asyncio.gather(
            *(
                self._bridge.together(
                    "import_products",
                    [("import_product", (*values_of(each), written_at)) for each in batch],
                )
                for batch in _batches(products)
            )
        )


def _batches(products: Sequence[Product]) -> Iterator[list[Product]]:
    batch: list[Product] = []
    room = BATCH_BYTES
    for product in products:
        size = _size(product)
        if batch and (len(batch) == BATCH_ROWS or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(product)
        room -= size
    if batch:
        yield batch


def _size(product: Product) -> int:
    texts = (product.name, product.category, product.description, product.manufacturer)
    return ROW_BYTES + sum(len((text or "").encode()) for text in texts)


def _once_each(ids: Sequence[UUID], added: set[UUID]) -> list[bool]:
    """An id that comes twice in one import is added once: the first time."""
    outcomes = []
    for product_id in ids:
        outcomes.append(product_id in added)
        added.discard(product_id)
    return outcomes
