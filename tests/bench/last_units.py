"""P8: ten thousand people check out for the last hundred units, all through the gateway."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.local.trial import shop_on_trial
from tests.bench.journeys import new_product
from tests.bench.servers import SECRET_KEY, SLOW_ORDERS
from tests.bench.state import authorization

PEOPLE, UNITS, AT_ONCE = 10_000, 100, 64


@dataclass(frozen=True)
class Rush:
    """``seconds``: from the first checkout to the answer of the last."""

    statuses: Mapping[int, int]
    left: int
    seconds: float

    @property
    def sold(self) -> int:
        return self.statuses.get(200, 0)


def measured(people: int = PEOPLE) -> Rush:
    """Everybody has one in the cart before anybody checks out."""
    with (
        tempfile.TemporaryDirectory() as folder,
        shop_on_trial(Path(folder), SECRET_KEY=SECRET_KEY, **SLOW_ORDERS) as shop,
    ):
        return asyncio.run(_rush(shop.url, people))


async def _rush(url: str, people: int) -> Rush:
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        product = await new_product(session, "Последние бидоны", stock=UNITS)
        item = {"product_id": product, "quantity": 1}

        async def add(headers: Mapping[str, str]) -> int:
            async with session.post("/cart-api/cart/items", json=item, headers=headers) as answer:
                return answer.status

        async def buy(headers: Mapping[str, str]) -> int:
            async with session.post("/cart-api/cart/checkout", headers=headers) as answer:
                return answer.status

        tokens = [authorization(f"rush_{number}") for number in range(people)]
        everybody = [{"Authorization": token} for token in tokens]
        added = await _all(everybody, add)
        if set(added) != {200}:
            raise RuntimeError(f"not everybody has one in the cart: {added}")
        began_at = time.perf_counter()
        statuses = await _all(everybody, buy)
        seconds = time.perf_counter() - began_at
        async with session.get(f"/api/products/{product}", headers=everybody[0]) as answer:
            return Rush(statuses, (await answer.json())["stock_count"], seconds)


async def _all(
    everybody: list[dict[str, str]], step: Callable[[Mapping[str, str]], Awaitable[int]]
) -> Counter[int]:
    """How many got which status; so many at once."""
    statuses: Counter[int] = Counter()
    waiting = iter(everybody)

    async def serve() -> None:
        for headers in waiting:
            statuses[await step(headers)] += 1

    await asyncio.gather(*(serve() for _ in range(AT_ONCE)))
    return statuses
