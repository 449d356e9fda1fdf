"""``python -m deploy.cassandra.bench``: what the store costs on the Cassandra of the settings.

Reads CASSANDRA_HOST and its companions. It reserves stock of products of its own, deleted at the
end, and asks for pages of whatever is there.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

SECONDS = float(os.environ.get("BENCH_SECONDS") or 3)
BUYERS = 64


async def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.catalog")
    django.setup()
    from django.conf import settings

    from catalog.cassandra.bridge import Bridge
    from catalog.cassandra.store import CassandraCatalog

    began_at = time.monotonic()
    store = CassandraCatalog(Bridge(settings.DATABASES["cassandra"]), keep_seconds=600)
    store.open()
    while store.unready():  # noqa: ASYNC110  # it is a reading, not an event
        await asyncio.sleep(0.05)
    size = sum(store.counts().values())
    print(f"{size} products, ready after {time.monotonic() - began_at:.1f} s")
    await _pages(store, size)
    await _reservations(store)
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
                await _measure(f"page of 20, {words} by {by}, skip {skip}", page, at_once=1)
    row = (await store.page(Filter(), Sort(), limit=1)).items[0]
    await _measure("product by id, one at a time", lambda: store.product(row.product_id), at_once=1)
    await _measure("product by id, 32 at once", lambda: store.product(row.product_id), at_once=32)


def _page(store: Any, where: Any, sort: Any, skip: int) -> Callable[[], Awaitable[Any]]:
    return lambda: store.page(where, sort, limit=20, skip=skip)


async def _reservations(store: Any) -> None:
    from catalog.domain import Product

    products = [
        Product(
            product_id=uuid4(),
            name=f"Пробный товар {number}",
            category="Проба",
            price=Decimal(1),
            stock_count=1_000_000,
        )
        for number in range(BUYERS)
    ]
    await store.add_all(products)
    one = products[0].product_id
    ids = iter(lambda: products[int(time.monotonic_ns()) % BUYERS].product_id, None)
    await _measure("reserve, one product, 1 buyer", lambda: _reserve(store, one), at_once=1)
    await _measure(
        f"reserve, one product, {BUYERS} buyers", lambda: _reserve(store, one), at_once=BUYERS
    )
    await _measure(
        f"reserve, {BUYERS} products, {BUYERS} buyers",
        lambda: _reserve(store, next(ids)),
        at_once=BUYERS,
    )
    for product in products:
        books = await store.stock(product.product_id)
        assert books.is_balanced, books
        await store.delete(product.product_id)


def _reserve(store: Any, product_id: UUID) -> Awaitable[Any]:
    reserved: Awaitable[Any] = store.reserve(
        uuid4(), "bench", {product_id: 1}, now=datetime.now(UTC)
    )
    return reserved


async def _measure(words: str, ask: Callable[[], Awaitable[Any]], *, at_once: int) -> None:
    took: list[float] = []
    until = time.monotonic() + SECONDS

    async def again() -> None:
        while time.monotonic() < until:
            began_at = time.perf_counter()
            await ask()
            took.append(time.perf_counter() - began_at)
            await asyncio.sleep(0)

    began_at = time.monotonic()
    await asyncio.gather(*(again() for _ in range(at_once)))
    rate = len(took) / (time.monotonic() - began_at)
    p99 = statistics.quantiles(took, n=100)[98]
    median = statistics.median(took)
    print(f"{words:58} {rate:8,.0f}/s  median {median * 1e3:7.2f}  p99 {p99 * 1e3:7.2f} ms")


if __name__ == "__main__":
    asyncio.run(main())
