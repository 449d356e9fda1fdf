"""Reads the whole table of products, part by part, into shelves, beside the requests."""

import asyncio
import gc
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from catalog.cassandra.rows import stock_of, why_refused
from catalog.columns import Facts
from catalog.indexes import Shelves
from store.cassandra.bridge import Bridge, Row
from store.money import to_kopecks

log = logging.getLogger(__name__)

RANGES = 256
# The next parts come while one is taken in; no more of them wait in memory.
READ_AHEAD = 3
LOWEST, HIGHEST = -(2**63), 2**63 - 1


async def read_shelves(bridge: Bridge) -> Shelves:
    """Rows that are no products are left out. Raises what the driver raises."""
    shelves, count = Shelves(), 0
    # A list of a million names would be looked through by every full garbage collection: 40 ms.
    gc.freeze()
    async with aclosing(_parts(bridge)) as parts:
        async for rows in parts:
            await shelves.gather(_products(rows))
            count += len(rows)
    if refused := count - len(shelves.columns):
        log.warning("%s rows of products are not shown; check_catalog says why", refused)
    await shelves.arrange()
    return shelves


def ranges(count: int) -> list[tuple[int, int]]:
    """The tokens in equal parts, each from behind its first to its last."""
    step = (HIGHEST - LOWEST) // count
    edges = [LOWEST + number * step for number in range(count)] + [HIGHEST]
    return list(pairwise(edges))


async def _parts(bridge: Bridge) -> AsyncGenerator[list[Row], None]:
    pool = ThreadPoolExecutor(READ_AHEAD, thread_name_prefix="products")
    waiting: deque[Future[list[Row]]] = deque()
    try:
        for after, to in ranges(RANGES):
            if len(waiting) == READ_AHEAD:
                yield await asyncio.wrap_future(waiting.popleft())
            waiting.append(pool.submit(_part, bridge, after, to))
        while waiting:
            yield await asyncio.wrap_future(waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _part(bridge: Bridge, after: int, to: int) -> list[Row]:
    return list(bridge.scan("listed_products", after, to))


def _products(rows: list[Row]) -> Iterator[Facts]:
    return (facts for row in rows if (facts := _facts(*row)) is not None)


def _facts(
    product_id: UUID, name: str, category: str, price: Decimal, quantity: int | None
) -> Facts | None:
    """None for a row that is no product."""
    if why_refused(name, category, price) is not None:
        return None
    in_stock = stock_of(quantity) > 0
    return Facts(product_id.int, name.encode(), category, to_kopecks(price), in_stock)
