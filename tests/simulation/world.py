"""One simulated life of the shop: buyers buy while things break, then it rests and is judged."""

import asyncio
import hashlib
import logging
import os
import random
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from carts.apps import CartsConfig
from orders.apps import OrdersConfig
from store import clock, service
from store.journal import Sync
from tests.contract import callers
from tests.simulation.buyers import Buyer
from tests.simulation.network import FAIR, Network, Weather, client_of
from tests.simulation.oracle import Oracle
from tests.simulation.processes import Process, running, task_of_its_process
from tests.simulation.timing import time_of
from tests.simulation.virtual import VirtualLoop

SERVICES = ("catalog", "carts", "orders", "accounts")
TROUBLE_SECONDS = 40.0
PATIENCE_SECONDS = 3.0
# A hold is looked at after 60 s, every 15 s; clocks may have been wrong by as much again.
REST_SECONDS = 150.0
LONGEST_SKEW_SECONDS = 20.0
SETTINGS = {"ORDER_DELIVERY_MIN": 30.0, "ORDER_DELIVERY_MAX": 30.0, "ORDER_RETENTION": 86_400.0}
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())


@dataclass(frozen=True)
class Outcome:
    """``story`` is a digest of all that happened, in its order."""

    problems: list[str]
    story: str
    messages: int
    orders: int
    crashes: int
    mishaps: int


def simulate(seed: int) -> Outcome:
    dice = random.Random(seed)
    loop = VirtualLoop(disk_seconds=lambda: dice.expovariate(500.0))
    loop.set_task_factory(task_of_its_process)
    with time_of(loop, **SETTINGS) as patch, tempfile.TemporaryDirectory(dir=FOLDER) as data:
        patch.setattr(os, "urandom", dice.randbytes)
        random.seed(seed)
        try:
            return loop.run_until_complete(World(dice, Path(data), loop, patch).live())
        finally:
            loop.close()


class World:
    def __init__(
        self, dice: random.Random, data: Path, loop: VirtualLoop, patch: pytest.MonkeyPatch
    ) -> None:
        self._dice = dice
        self._data = data
        self._loop = loop
        # Either the system outlives each crash, or everything that was answered is synced.
        self._has_power_cuts = dice.random() < 0.5
        self._processes: dict[str, Process] = {}
        self._skews = dict.fromkeys(SERVICES, 0.0)
        self._network = Network(dice, self._processes)
        self._client = client_of(self._network)
        self._crashes = 0
        self._complaints = _Complaints()
        patch.setattr(clock, "now", self._wall)
        patch.setattr("store.pool.pool.transport_to", lambda _: self._network)

    async def live(self) -> Outcome:
        logging.getLogger().addHandler(self._complaints)
        try:
            return await self._live()
        finally:
            logging.getLogger().removeHandler(self._complaints)
            await self._network.end()
            for process in self._processes.values():
                if process.is_alive:
                    await process.close()
            await self._client.aclose()

    async def _live(self) -> Outcome:
        for name in SERVICES:
            await self._start(name)
        stock = {
            await self._product(pieces): pieces for pieces in self._dice.choices((2, 9, 60), k=4)
        }
        buyers = [Buyer(f"buyer{number}", self._client, self._dice) for number in range(5)]
        for buyer in buyers:
            await buyer.register()
        await self._have_trouble(buyers, list(stock))
        await asyncio.sleep(REST_SECONDS)
        oracle = Oracle(self._client, stock)
        await oracle.look()
        outbox = cast(OrdersConfig, service.config("orders")).repository
        await oracle.judge(buyers, self._network, outbox)
        return self._outcome(oracle)

    def _outcome(self, oracle: Oracle) -> Outcome:
        story = "\n".join(self._network.story)
        return Outcome(
            problems=oracle.problems + self._complaints.found,
            story=hashlib.sha256(story.encode()).hexdigest(),
            messages=len(self._network.story),
            orders=len(oracle.orders),
            crashes=self._crashes,
            mishaps=self._network.mishaps.total(),
        )

    async def _have_trouble(self, buyers: list[Buyer], products: list[str]) -> None:
        ends_at = self._loop.now + TROUBLE_SECONDS
        self._network.weather = self._bad_weather()
        shopping = [asyncio.create_task(each.shop(products, until=ends_at)) for each in buyers]
        while self._loop.now < ends_at:
            await asyncio.sleep(self._dice.expovariate(1 / 3))
            await self._dice.choice(self._troubles())(self._dice.choice(SERVICES))
        self._network.weather = FAIR
        self._skews.update(dict.fromkeys(SERVICES, 0.0))
        await asyncio.gather(*shopping)

    def _troubles(self) -> list[Callable[[str], Awaitable[None]]]:
        often = [self._crash, self._crash, self._crash_in_a_checkout]
        return [*often, self._cut_off, self._set_its_clock]

    def _bad_weather(self) -> Weather:
        """Of its own kind in each run; some mishaps do not happen at all."""
        odds = [self._dice.choice((0.0, 0.02, 0.1)) for _ in range(5)]
        return Weather(*odds, pause=self._dice.choice((0.001, 0.01, 0.1)))

    async def _crash(self, name: str) -> None:
        await self._processes[name].crash(tear=self._dice.randint if self._has_power_cuts else None)
        self._crashes += 1
        await asyncio.sleep(self._dice.choice((0.01, 1.0, 8.0)))
        await self._start(name)

    async def _crash_in_a_checkout(self, _: str) -> None:
        """Carts dies while it knows what is to be bought and not yet what became of it."""
        carts = cast(CartsConfig, service.config("carts")).repository
        patience_ends_at = self._loop.now + PATIENCE_SECONDS
        while not await carts.open_intents() and self._loop.now < patience_ends_at:
            await asyncio.sleep(0.001)
        await asyncio.sleep(self._dice.expovariate(50.0))
        await self._crash("carts")

    async def _cut_off(self, name: str) -> None:
        self._network.cut.add(name)
        await asyncio.sleep(self._dice.choice((0.5, 3.0, 15.0)))
        self._network.cut.clear()

    async def _set_its_clock(self, name: str) -> None:
        self._skews[name] = self._dice.uniform(-LONGEST_SKEW_SECONDS, LONGEST_SKEW_SECONDS)

    async def _start(self, name: str) -> None:
        sync = Sync.ALWAYS if self._has_power_cuts else Sync.INTERVAL
        process = self._processes[name] = Process(name, self._data, sync)
        await process.start()

    async def _product(self, stock: int) -> str:
        price = self._dice.randint(1, 99_999) / 100
        body = {"name": "Чай", "category": "Чай", "price": price, "stock_count": stock}
        answer = await self._client.post("/api/products/", json=body, headers=callers.admin())
        return str(answer.json()["product_id"])

    def _wall(self) -> datetime:
        process = running.get()
        return self._loop.wall() + timedelta(seconds=self._skews[process.name] if process else 0)


OURS = {"asyncio", "store", "catalog", "carts", "orders", "accounts"}


class _Complaints(logging.Handler):
    """What the services themselves call an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # What another test left behind in this process, an exporter say, is not of this shop.
        if record.name.partition(".")[0] in OURS:
            self.found.append(f"log: {record.name}: {record.getMessage()}")
