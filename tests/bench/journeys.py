"""P4 and P7: journeys through the gateway, with and without the journal; what a shop takes.

``python -m tests.bench.journeys cassandra`` has all state on a Cassandra of its own, and orders
that live three seconds, so that what a journey costs has the whole life of its order in it.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.cassandra.trial import cassandra_on_trial
from deploy.local.layout import PROJECT, SERVICES
from deploy.local.trial import Trial, shop_on_trial
from tests.bench.load import LoadFailed, time_used
from tests.bench.servers import SECRET_KEY, resident
from tests.bench.state import CATEGORY, authorization

BUYERS = 32
PRODUCTS = 20
SECONDS_TO_WARM_UP = 3.0
# On a machine with other work Cassandra does not always answer in time.
FEW_BUYERS, MAY_FAIL = 8, 100
SECONDS_TO_SETTLE = 5.0
WITHOUT_JOURNAL = {"DATA_DIR": ""}
SHORT_LIVES = {
    "ORDER_PROCESSING_DELAY": "0.5",
    "ORDER_SHIPPING_DELAY": "0.5",
    "ORDER_DELIVERY_MIN": "0.5",
    "ORDER_DELIVERY_MAX": "1.5",
    "ORDER_RETENTION": "1",
}


@dataclass(frozen=True)
class Journeys:
    """Each is one thing put into the cart, and checked out; seconds by journey, sorted."""

    taken: list[float]
    seconds: float
    failed: int

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
    statements: Mapping[str, float]  # sent to Cassandra a journey, by service


def measured(
    *,
    seconds: float,
    warm_up: float = SECONDS_TO_WARM_UP,
    buyers: int = BUYERS,
    may_fail: int = 0,
    idle: float = 0.0,
    beside: Mapping[str, list[int]] = MappingProxyType({}),
    **settings: str,
) -> Shop:
    """One shop with these settings. Raises LoadFailed when more journeys fail than ``may_fail``.

    ``idle``: seconds for which what the shop does by itself is watched, to be left out of the
    costs. ``beside``: the pids of what else works for it, by name.
    """
    own = {"SECRET_KEY": SECRET_KEY, **settings}
    with tempfile.TemporaryDirectory() as folder:
        began_at = time.perf_counter()
        with shop_on_trial(Path(folder), **own) as shop:
            started_within = time.perf_counter() - began_at
            asyncio.run(_bought(shop.url, warm_up, buyers, may_fail))
            processes = {**_processes(shop), **beside}
            used_before, sent_before = _used(processes), _statements(shop)
            journeys = asyncio.run(_bought(shop.url, seconds, buyers, may_fail))
            used = _less(_used(processes), used_before)
            sent = _less(_statements(shop), sent_before)
            held = sum(resident(shop.pid(name)) for name in SERVICES)
            if idle:
                time.sleep(SECONDS_TO_SETTLE)
                used_before, sent_before = _used(processes), _statements(shop)
                time.sleep(idle)
                share = journeys.seconds / idle
                used = _less(used, _less(_used(processes), used_before), share)
                sent = _less(sent, _less(_statements(shop), sent_before), share)
            costs, statements = _each(used, journeys), _each(sent, journeys)
            return Shop(started_within, held, journeys, costs, statements)


def _less(
    these: Mapping[str, float], those: Mapping[str, float], share: float = 1.0
) -> dict[str, float]:
    return {name: value - share * those[name] for name, value in these.items()}


def _each(values: Mapping[str, float], journeys: Journeys) -> dict[str, float]:
    return {name: value / len(journeys.taken) for name, value in values.items()}


async def _bought(url: str, seconds: float, buyers: int, may_fail: int) -> Journeys:
    connector = aiohttp.TCPConnector(limit=BUYERS)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        names = [f"Молоко, бидон {number}" for number in range(PRODUCTS)]
        products = [await new_product(session, name, stock=10**6) for name in names]
        taken: list[float] = []
        began_at = time.perf_counter()
        ends_at, turn, failures = began_at + seconds, count(), count()

        async def buy(number: int) -> None:
            headers = {"Authorization": authorization(f"bench_{os.getpid()}_{number}")}
            while (started_at := time.perf_counter()) < ends_at:
                item = {"product_id": products[next(turn) % PRODUCTS], "quantity": 1}
                try:
                    await _post(session, "/cart-api/cart/items", headers, item)
                    await _post(session, "/cart-api/cart/checkout", headers, None)
                except LoadFailed:
                    if next(failures) >= may_fail:
                        raise
                else:
                    taken.append(time.perf_counter() - started_at)

        await asyncio.gather(*(buy(number) for number in range(buyers)))
    seconds = time.perf_counter() - began_at
    return Journeys(sorted(taken), seconds, failed=next(failures))


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


def _statements(shop: Trial) -> dict[str, float]:
    """How many each service has sent to Cassandra so far."""
    return {name: _sent(shop.layout.url(name)) for name in SERVICES}


def _sent(url: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
    samples = (sample for family in families for sample in family.samples)
    return sum(each.value for each in samples if each.name == "cassandra_queries_total")


def line_of(name: str, shop: Shop) -> str:
    journeys = shop.journeys
    costs = ", ".join(f"{name} {used * 1e6:.0f}" for name, used in shop.costs.items())
    return (
        f"{name:16} {journeys.per_second:5.0f} journeys/s, median"
        f" {journeys.quantile(0.5) * 1e3:4.0f} ms, p99 {journeys.quantile(0.99) * 1e3:4.0f} ms;"
        f" open after {shop.started_within:.1f} s, {shop.resident / 2**20:.0f} MB\n"
        f"{'':16} us of CPU a journey: {costs}; {sum(shop.costs.values()) * 1e6:.0f} in all"
    )


def on_cassandra(seconds: float = 20.0, warm_up: float = 40.0) -> None:
    """Java compiles what it does most for the first minutes: until then all costs many times."""
    print(f"add to cart and checkout on Cassandra, {FEW_BUYERS} buyers at once")
    with tempfile.TemporaryDirectory() as folder, cassandra_on_trial(Path(folder)) as node:
        settings = {**node.settings, **SHORT_LIVES, "STORE": "cassandra"}
        pids = {"cassandra": [node.processes[1].pid]}
        _make_tables(settings)
        load: dict[str, Any] = {"buyers": FEW_BUYERS, "may_fail": MAY_FAIL, "beside": pids}
        shop = measured(seconds=seconds, warm_up=warm_up, idle=seconds / 2, **load, **settings)
    print(line_of("on Cassandra", shop))
    sent = ", ".join(f"{name} {number:.1f}" for name, number in shop.statements.items())
    print(f"{'':16} statements a journey: {sent}; {shop.journeys.failed} journeys failed")
    print("load of the machine:", *(f"{load:.1f}" for load in os.getloadavg()))


def _make_tables(settings: Mapping[str, str]) -> None:
    """Beforehand: four services at once take longer than a start may."""
    environment = {**os.environ, "SECRET_KEY": SECRET_KEY, **settings}
    command = [sys.executable, "manage.py", "sync_cassandra"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)


def main(seconds: float = 8.0) -> None:
    print(f"add to cart and checkout through the gateway, {BUYERS} buyers at once")
    print(line_of("with journal", measured(seconds=seconds)), flush=True)
    print(line_of("without journal", measured(seconds=seconds, **WITHOUT_JOURNAL)), flush=True)


if __name__ == "__main__":
    on_cassandra() if sys.argv[1:] == ["cassandra"] else main()
