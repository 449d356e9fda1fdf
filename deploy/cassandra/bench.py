"""``python -m deploy.cassandra.bench``: what lists cost on the Cassandra of the settings.

Reads CASSANDRA_HOST and its companions, and asks for pages of whatever is there. What stock
costs: ``python -m deploy.cassandra.rates``.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx

from store.errors import Unavailable

SECONDS = float(os.environ.get("BENCH_SECONDS") or 3)


async def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.catalog")
    django.setup()
    from django.conf import settings

    from catalog.cassandra.schema import CATALOG
    from catalog.cassandra.store import CassandraCatalog
    from store.cassandra.bridge import Bridge

    began_at = time.monotonic()
    store = CassandraCatalog(Bridge(settings.DATABASES["catalog"], CATALOG), keep_seconds=600)
    store.open()
    while store.unready():  # noqa: ASYNC110  # it is a reading, not an event
        await asyncio.sleep(0.05)
    size = sum(store.counts().values())
    print(f"{size} products, ready after {time.monotonic() - began_at:.1f} s")
    await _pages(store, size)
    await store.close()


async def _pages(store: Any, size: int) -> None:
    from catalog.domain import Filter, Sort, SortBy

    category = max(store.counts(), key=store.counts().get)
    low, high = Decimal(100), Decimal(500)
    for words, where in (
        ("everything", Filter()),
        ("a category", Filter(category=category)),
        ("100..500", Filter(min_price=low, max_price=high)),
        ("in stock", Filter(in_stock=True)),
        ("q=мол", Filter(words=("мол",))),
    ):
        for by in SortBy:
            for skip in (0, size * 9 // 10):
                page = _page(store, where, Sort(by), skip)
                await measure(f"page of 20, {words} by {by}, skip {skip}", page, at_once=1)
    row = (await store.page(Filter(), Sort(), limit=1)).items[0]
    await measure("product by id, one at a time", lambda: store.product(row.product_id), at_once=1)
    await measure("product by id, 32 at once", lambda: store.product(row.product_id), at_once=32)


def _page(store: Any, where: Any, sort: Any, skip: int) -> Callable[[], Awaitable[Any]]:
    return lambda: store.page(where, sort, limit=20, skip=skip)


async def measure(
    words: str, ask: Callable[[], Awaitable[Any]], *, at_once: int, seconds: float = SECONDS
) -> None:
    """Asks again and again, so many at once, and prints how it went."""
    took: list[float] = []
    failed: Counter[str] = Counter()
    until = time.monotonic() + seconds

    async def again() -> None:
        while time.monotonic() < until:
            began_at = time.perf_counter()
            try:
                await ask()
                took.append(time.perf_counter() - began_at)
            except (Unavailable, httpx.HTTPError) as error:
                failed[type(error).__name__] += 1
            await asyncio.sleep(0)

    began_at = time.monotonic()
    await asyncio.gather(*(again() for _ in range(at_once)))
    rate = len(took) / (time.monotonic() - began_at)
    p99 = statistics.quantiles(took, n=100)[98]
    median = statistics.median(took)
    line = f"{words:58} {rate:8,.0f}/s  median {median * 1e3:7.2f}  p99 {p99 * 1e3:7.2f} ms"
    print(line, f"failed: {dict(failed)}" if failed else "", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
