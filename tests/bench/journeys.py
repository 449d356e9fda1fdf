"""P4 and P7: journeys through the gateway, with and without the journal; what a shop takes."""

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import aiohttp

from deploy.local.layout import SERVICES
from deploy.local.trial import Trial, shop_on_trial
from tests.bench.load import LoadFailed, time_used
from tests.bench.servers import SECRET_KEY, resident
from tests.bench.state import CATEGORY, authorization

BUYERS = 32
PRODUCTS = 20
SECONDS_TO_WARM_UP = 3.0
WITHOUT_JOURNAL = {"DATA_DIR": ""}


@dataclass(frozen=True)
class Journeys:
    """Each is one thing put into the cart, and checked out; seconds by journey, sorted."""

    taken: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.taken) / self.seconds

    def quantile(self, share: float) -> float:
        return self.taken[int(len(self.taken) * share)]


@dataclass(frozen=True)
class Shop:
    """What a shop took to start, and holds: seconds, and bytes resident of its four services."""

    started_within: float
    resident: int
    journeys: Journeys
    costs: Mapping[str, float]  # seconds of CPU a journey, by process; the generator is one


def measured(*, seconds: float, **settings: str) -> Shop:
    """One shop with these settings. Raises LoadFailed for any answer but 200."""
    own = {"SECRET_KEY": SECRET_KEY, **settings}
    with tempfile.TemporaryDirectory() as folder:
        began_at = time.perf_counter()
        with shop_on_trial(Path(folder), **own) as shop:
            started_within = time.perf_counter() - began_at
            asyncio.run(_bought(shop.url, SECONDS_TO_WARM_UP))
            processes = _processes(shop)
            used_before = _used(processes)
            journeys = asyncio.run(_bought(shop.url, seconds))
            held = sum(resident(shop.pid(name)) for name in SERVICES)
            costs = {
                name: (used - used_before[name]) / len(journeys.taken)
                for name, used in _used(processes).items()
            }
            return Shop(started_within, held, journeys, costs)


async def _bought(url: str, seconds: float) -> Journeys:
    connector = aiohttp.TCPConnector(limit=BUYERS)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        names = [f"Молоко, бидон {number}" for number in range(PRODUCTS)]
        products = [await new_product(session, name, stock=10**6) for name in names]
        taken: list[float] = []
        began_at = time.perf_counter()
        ends_at, turn = began_at + seconds, count()

        async def buy(number: int) -> None:
            headers = {"Authorization": authorization(f"bench_{os.getpid()}_{number}")}
            while (started_at := time.perf_counter()) < ends_at:
                item = {"product_id": products[next(turn) % PRODUCTS], "quantity": 1}
                await _post(session, "/cart-api/cart/items", headers, item)
                await _post(session, "/cart-api/cart/checkout", headers, None)
                taken.append(time.perf_counter() - started_at)

        await asyncio.gather(*(buy(number) for number in range(BUYERS)))
    return Journeys(sorted(taken), time.perf_counter() - began_at)


async def new_product(session: aiohttp.ClientSession, name: str, *, stock: int) -> str:
    """Its id."""
    product = {"name": name, "category": CATEGORY, "price": 10.5, "stock_count": stock}
    answer = await _post(session, "/api/products/", _admin(), product)
    return str(answer["product_id"])


def _admin() -> Mapping[str, str]:
    return {"Authorization": authorization("bench_admin", is_admin=True)}


async def _post(
    session: aiohttp.ClientSession, path: str, headers: Mapping[str, str], body: object
) -> dict[str, object]:
    async with session.post(path, headers=headers, json=body) as answer:
        if answer.status not in (200, 201):
            raise LoadFailed(f"{path}: {answer.status} {await answer.text()}")
        return dict(await answer.json())


def _processes(shop: Trial) -> Mapping[str, list[int]]:
    """Their pids by name; nginx has workers."""
    gateway = shop.pid("gateway")
    children = Path(f"/proc/{gateway}/task/{gateway}/children")
    workers = children.read_text().split() if children.exists() else []
    services = {name: [shop.pid(name)] for name in SERVICES}
    return {**services, "gateway": [gateway, *map(int, workers)], "generator": [os.getpid()]}


def _used(processes: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(map(time_used, pids)) for name, pids in processes.items()}


def line_of(name: str, shop: Shop) -> str:
    journeys = shop.journeys
    costs = ", ".join(f"{name} {used * 1e6:.0f}" for name, used in shop.costs.items())
    return (
        f"{name:16} {journeys.per_second:5.0f} journeys/s, median"
        f" {journeys.quantile(0.5) * 1e3:4.0f} ms, p99 {journeys.quantile(0.99) * 1e3:4.0f} ms;"
        f" open after {shop.started_within:.1f} s, {shop.resident / 2**20:.0f} MB\n"
        f"{'':16} us of CPU a journey: {costs}; {sum(shop.costs.values()) * 1e6:.0f} in all"
    )


def main(seconds: float = 8.0) -> None:
    print(f"add to cart and checkout through the gateway, {BUYERS} buyers at once")
    print(line_of("with journal", measured(seconds=seconds)), flush=True)
    print(line_of("without journal", measured(seconds=seconds, **WITHOUT_JOURNAL)), flush=True)


if __name__ == "__main__":
    main()
