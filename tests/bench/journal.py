"""``python -m tests.bench.journal [seconds]``: what the journal costs a running shop.

Two shops of its own, one after the other, without DATA_DIR and with it; in each, buyers put things
into their carts, then check out, for so many seconds. Prints requests a second and their ratio.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from deploy.local.trial import Trial, shop_on_trial

BUYERS = 16
STOCK = 1_000_000
PERSON = {"full_name": "A Buyer", "phone": "+7 999 000-00-00", "password": "a password"}
Step = Callable[["Buyer"], Awaitable[None]]


class Buyer:
    def __init__(self, session: aiohttp.ClientSession, token: str, product: str) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._line = {"product_id": product, "quantity": 1}
        self._put_in = 0

    async def add(self) -> None:
        # A line holds at most 1000.
        if self._put_in == 1000:
            await self._say("DELETE", "/cart-api/cart/")
            self._put_in = 0
        await self._say("POST", "/cart-api/cart/items", json=self._line)
        self._put_in += 1

    async def buy(self) -> None:
        await self._say("POST", "/cart-api/cart/items", json=self._line)
        await self._say("POST", "/cart-api/cart/checkout")

    async def empty(self) -> None:
        await self._say("DELETE", "/cart-api/cart/")

    async def _say(self, verb: str, path: str, **options: object) -> None:
        async with self._session.request(verb, path, headers=self._headers, **options) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{verb} {path}: {answer.status} {await answer.text()}")


async def rate(buyers: list[Buyer], step: Step, seconds: float) -> tuple[float, float]:
    """Steps a second, and the median of their durations in milliseconds."""
    durations: list[float] = []
    end = time.monotonic() + seconds

    async def run(buyer: Buyer) -> None:
        while (began_at := time.monotonic()) < end:
            await step(buyer)
            durations.append(time.monotonic() - began_at)

    await asyncio.gather(*map(run, buyers))
    return len(durations) / seconds, statistics.median(durations) * 1000


async def measured(shop: Trial, seconds: float) -> dict[str, tuple[float, float]]:
    async with aiohttp.ClientSession(shop.url) as session:
        product = await new_product(session)
        tokens = [await registered(session, f"buyer{number}") for number in range(BUYERS)]
        buyers = [Buyer(session, token, product) for token in tokens]
        await rate(buyers, Buyer.add, 1)  # everything is warm now
        adding = await rate(buyers, Buyer.add, seconds)
        await asyncio.gather(*(buyer.empty() for buyer in buyers))
        return {"add to cart": adding, "add + checkout": await rate(buyers, Buyer.buy, seconds)}


async def new_product(session: aiohttp.ClientSession) -> str:
    product = {"name": "Проба", "category": "Пробы", "price": 1, "stock_count": STOCK}
    headers = {"admin": "true"}
    async with session.post("/api/products/", json=product, headers=headers) as answer:
        return str((await answer.json())["product_id"])


async def registered(session: aiohttp.ClientSession, name: str) -> str:
    async with session.post("/user-api/users/register", json={"username": name} | PERSON) as answer:
        return str((await answer.json())["access_token"])


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    settings = {"PASSWORD_ROUNDS": "4", "MAX_OPEN_ORDERS_PER_USER": "1000000"}
    shops = {"without": {"DATA_DIR": ""}, "interval": {}, "always": {"JOURNAL_SYNC": "always"}}
    found = {}
    for name, journal in shops.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            shop_on_trial(Path(folder), **settings, **journal) as shop,
        ):
            found[name] = asyncio.run(measured(shop, seconds))
            shop.close()
    print(f"{BUYERS} buyers through the gateway, {seconds:g} s each, load {os.getloadavg()[0]:.1f}")
    for what, (base, _) in found["without"].items():
        for name, figures in found.items():
            per_second, median = figures[what]
            ratio = per_second / base
            print(f"{what:15} {name:9} {per_second:7.0f}/s {median:7.1f} ms {ratio:6.2f}")


if __name__ == "__main__":
    main()
