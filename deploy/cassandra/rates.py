"""``python -m deploy.cassandra.rates``: reservations and journeys a second.

On a node and shops of its own: the store in this process, the catalog over HTTP, and whole
journeys through the gateway, the last on Cassandra and on the embedded store.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

from deploy.cassandra.bench import SECONDS, measure
from deploy.cassandra.buyers import Crowd, client_of, products_on_sale
from deploy.cassandra.trial import cassandra_on_trial
from deploy.local.trial import Trial as Shop
from deploy.local.trial import shop_on_trial

BUYERS = 64
SHOPPERS = 32
# A fresh JVM compiles what it does for the first time.
SECONDS_TO_WARM_UP = float(os.environ.get("BENCH_WARM_UP") or 10)
STOCK = 1_000_000
PLAIN = (
    "CREATE TABLE IF NOT EXISTS store.plain (id uuid PRIMARY KEY, available int)",
    "INSERT INTO store.plain (id, available) VALUES (?, ?)",
    "UPDATE store.plain SET available = ? WHERE id = ? IF available = ?",
)


async def in_this_process() -> None:
    from django.conf import settings

    from catalog.cassandra.schema import CATALOG
    from catalog.cassandra.store import CassandraCatalog
    from store.cassandra.bridge import Bridge

    bridge = Bridge(settings.DATABASES["catalog"], CATALOG)
    store: Any = CassandraCatalog(bridge, keep_seconds=600)
    store.open()
    while store.unready():  # noqa: ASYNC110  # it is a reading, not an event
        await asyncio.sleep(0.05)
    ids = await _products(store)
    chance = Random(1)  # noqa: S311
    for seconds, words in ((SECONDS_TO_WARM_UP, "(warming up) "), (SECONDS, "")):
        one, many = (lambda: _reserve(store, ids[0])), (lambda: _reserve(store, chance.choice(ids)))
        name = f"{words}one product, {BUYERS} buyers"
        await measure(name, one, at_once=BUYERS, seconds=seconds)
        name = f"{words}{len(ids)} products, {BUYERS} buyers"
        await measure(name, many, at_once=BUYERS, seconds=seconds)
    await measure("one product, 1 buyer", one, at_once=1)
    plain = await _plain(bridge._session)
    await measure(f"one conditional write each, {BUYERS} buyers", plain, at_once=BUYERS)
    for product_id in ids:
        books = await store.stock(product_id)
        assert books.is_balanced, books
    await store.close()


async def _products(store: Any) -> list[UUID]:
    from catalog.domain import Product

    products = [
        Product(
            product_id=uuid4(),
            name=f"Пробный товар {number}",
            category="Проба",
            price=Decimal(1),
            stock_count=STOCK,
        )
        for number in range(BUYERS)
    ]
    await store.add_all(products)
    return [product.product_id for product in products]


def _reserve(store: Any, product_id: UUID) -> Awaitable[Any]:
    reserved: Awaitable[Any] = store.reserve(
        uuid4(), "bench", {product_id: 1}, now=datetime.now(UTC)
    )
    return reserved


async def _plain(session: Any) -> Callable[[], Awaitable[None]]:
    """The plain way at its best: nothing but the number, and nobody loses a race for it."""
    product_id, left, turn = uuid4(), STOCK, asyncio.Lock()
    make, insert, take = PLAIN
    await asyncio.to_thread(session.execute, make)
    await asyncio.to_thread(session.execute, session.prepare(insert), (product_id, left))
    statement = session.prepare(take)

    async def one() -> None:
        nonlocal left
        async with turn:
            answer = asyncio.get_running_loop().create_future()
            sent = session.execute_async(statement, (left - 1, product_id, left))
            tell = answer.get_loop().call_soon_threadsafe
            sent.add_callbacks(
                lambda rows: tell(answer.set_result, rows),
                lambda error: tell(answer.set_exception, error),
            )
            await answer
            left -= 1

    return one


async def over_http(shop: Shop) -> None:
    """PUT /reservations/{order_id} of one product, as the orders service sends it."""
    from store import tokens

    async with client_of(shop.url) as gateway:
        (product_id,) = await products_on_sale(gateway, 1, stock=STOCK)
    headers = {"Authorization": f"Bearer {tokens.service_token('orders', 'catalog')}"}
    body = {"user_id": "bench", "items": [{"product_id": product_id, "quantity": 1}]}
    async with client_of(shop.layout.url("catalog")) as catalog:

        async def one() -> None:
            answer = await catalog.put(f"/reservations/{uuid4()}", json=body, headers=headers)
            answer.raise_for_status()

        for seconds, words in ((SECONDS_TO_WARM_UP, "(warming up) "), (SECONDS, "")):
            name = f"{words}one product over HTTP, {BUYERS} buyers"
            await measure(name, one, at_once=BUYERS, seconds=seconds)


async def journeys(shop: Shop, words: str) -> None:
    """Add and check out, through the gateway; the first seconds are not counted."""
    async with client_of(shop.url) as client:
        products = await products_on_sale(client, 20, stock=STOCK)
        crowd = Crowd(client, products, pause=0)
        people = await crowd.register(SHOPPERS)
        await _buy(crowd, people, SECONDS_TO_WARM_UP)
        crowd.tally.journeys.clear()
        took = await _buy(crowd, people, SECONDS)
    times = sorted(crowd.tally.journeys)
    rate, median = len(times) / took, times[len(times) // 2]
    p99, failed = times[len(times) * 99 // 100], len(crowd.tally.failures)
    print(
        f"{f'journeys {words}, {SHOPPERS} buyers':58} {rate:8,.0f}/s  median {median * 1e3:7.2f}"
        f"  p99 {p99 * 1e3:7.2f} ms, {failed} requests failed",
        flush=True,
    )


async def _buy(crowd: Crowd, people: list[dict[str, str]], seconds: float) -> float:
    """For how many seconds it really went on."""
    began_at = time.monotonic()
    await crowd.buy(people, lambda: time.monotonic() < began_at + seconds)
    return time.monotonic() - began_at


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.catalog")
    key = os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    settings = {"SECRET_KEY": key, "PASSWORD_ROUNDS": "4"}
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        with cassandra_on_trial(run / "node") as node:
            os.environ.update(node.settings)
            import django

            django.setup()
            asyncio.run(in_this_process())
            with shop_on_trial(run / "shop", **settings, **node.settings) as shop:
                asyncio.run(over_http(shop))
                asyncio.run(journeys(shop, "on Cassandra"))
        with shop_on_trial(run / "embedded", **settings, CASSANDRA_HOST="") as shop:
            asyncio.run(journeys(shop, "on the embedded store"))
    print("load of the machine:", *(f"{load:.1f}" for load in os.getloadavg()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
