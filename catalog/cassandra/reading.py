"""Reads the whole table of products, part by part, into shelves; blocks, for a thread."""

import logging
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from catalog.cassandra.rows import stock_of, why_refused
from catalog.columns import Facts
from catalog.indexes import Shelves
from store.cassandra.bridge import Bridge
from store.money import to_kopecks

log = logging.getLogger(__name__)

RANGES = 256
# The next parts come while one is taken in; no more of them wait in memory.
READ_AHEAD = 3
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def read_shelves(bridge: Bridge) -> Shelves:
    """Rows that are no products are left out. Raises what the driver raises."""
    shelves, refused = Shelves(), 0

    def facts() -> Iterator[Facts]:
        nonlocal refused
        for part in _parts(bridge):
            products = [each for each in part if each is not None]
            refused += len(part) - len(products)
            yield from products

    with _in_short_turns():
        shelves.fill(facts())
    if refused:
        log.warning("%s rows of products are not shown; check_catalog says why", refused)
    return shelves


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """Requests are answered meanwhile: their thread gets its turn ten times as soon as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def ranges(count: int) -> list[tuple[int, int]]:
    """The tokens in equal parts, each from behind its first to its last."""
    step = (HIGHEST - LOWEST) // count
    edges = [LOWEST + number * step for number in range(count)] + [HIGHEST]
    return list(pairwise(edges))


def _parts(bridge: Bridge) -> Iterator[list[Facts | None]]:
    with ThreadPoolExecutor(READ_AHEAD, thread_name_prefix="products") as pool:
        waiting: deque[Future[list[Facts | None]]] = deque()
        for after, to in ranges(RANGES):
            if len(waiting) == READ_AHEAD:
                yield waiting.popleft().result()
            waiting.append(pool.submit(_part, bridge, after, to))
        while waiting:
            yield waiting.popleft().result()


def _part(bridge: Bridge, after: int, to: int) -> list[Facts | None]:
    return [_facts(*row) for row in bridge.scan("listed_products", after, to)]


def _facts(
    product_id: UUID, name: str, category: str, price: Decimal, quantity: int | None
) -> Facts | None:
    """None for a row that is no product."""
    if why_refused(name, category, price) is not None:
        return None
    in_stock = stock_of(quantity) > 0
    return Facts(product_id.int, name.encode(), category, to_kopecks(price), in_stock)
