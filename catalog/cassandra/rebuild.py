"""Adopts what other programs wrote: looks at every row, then tells all instances to read anew."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from catalog.cassandra.changes import Changes
from catalog.cassandra.reading import ranges
from catalog.cassandra.rows import why_refused
from store.cassandra.bridge import Bridge
from store.cassandra.patience import patiently

PARTS = 256
COMMAND = "rebuild_catalog"


@dataclass(frozen=True, slots=True)
class Part:
    """How many of its rows are products, and why the others are none."""

    number: int
    products: int
    refused: list[str]


class Rebuild:
    """Goes on where it was stopped; the shop may serve meanwhile."""

    def __init__(self, bridge: Bridge, changes: Changes) -> None:
        self._bridge = bridge
        self._changes = changes

    async def done(self) -> int:
        """How many parts an earlier run has looked at."""
        rows = await patiently(lambda: self._bridge.ask("progress", COMMAND))
        return int(rows[0][0] or 0) if rows else 0

    async def parts(self, *, done: int) -> AsyncIterator[Part]:
        for number, (after, to) in enumerate(ranges(PARTS), start=1):
            if number > done:
                yield await patiently(partial(self._look_at, number, after, to))
        await patiently(self._changes.announce_everything)
        await patiently(lambda: self._bridge.ask("start_over", COMMAND))

    async def _look_at(self, number: int, after: int, to: int) -> Part:
        part = await asyncio.to_thread(self._part, number, after, to)
        await self._bridge.ask("reach", number, COMMAND)
        return part

    def _part(self, number: int, after: int, to: int) -> Part:
        products, refused = 0, []
        for _, product_id, name, category, price, *_ in self._bridge.scan(
            "all_products", after, to
        ):
            if reason := why_refused(name, category, price):
                refused.append(f"Product {product_id} is not shown: it has {reason}.")
            else:
                products += 1
        return Part(number, products, refused)
