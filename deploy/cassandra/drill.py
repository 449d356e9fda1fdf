"""``python -m deploy.cassandra.drill``: a ring of three loses nodes while people buy.

A shop of its own on three nodes of its own at replication 3. One node is killed outright and
started again, later another one is paused and goes on; then every acknowledged order is looked
up in the books. Exits with 1 when they differ.
"""

import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.cassandra.buyers import (
    RETRY_BUDGET_SECONDS,
    Crowd,
    Tally,
    client_of,
    products_on_sale,
)
from deploy.cassandra.trial import Trial, cassandra_on_trial
from deploy.local.trial import Trial as Shop
from deploy.local.trial import shop_on_trial

BUYERS = int(os.environ.get("DRILL_BUYERS") or 200)
PAUSE_SECONDS = float(os.environ.get("DRILL_PAUSE") or 4)
SECONDS_OF_CALM = float(os.environ.get("DRILL_CALM") or 10)
SECONDS_PAUSED = 10.0
# News of sales arrive, and what was left half made is undone after ten seconds, by then.
SECONDS_TO_DELIVER = 30.0
PRODUCTS = 20
STOCK = 100_000
KILLED, PAUSED = 2, 3


@dataclass
class Load:
    """Buyers in a thread of their own: nodes have to be started from the main one."""

    url: str
    buyers: int
    pause: float
    patience: float = RETRY_BUDGET_SECONDS
    products: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    error: BaseException | None = None
    _is_open: threading.Event = field(default_factory=threading.Event)
    _ends: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._is_open.wait()
        if self.error:
            raise self.error
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            asyncio.run(self._buy())
        except BaseException as error:  # noqa: BLE001  # it is raised in the main thread
            self.error = error
        self._is_open.set()

    async def _buy(self) -> None:
        async with client_of(self.url) as client:
            self.products = await products_on_sale(client, PRODUCTS, stock=STOCK)
            crowd = Crowd(client, self.products, pause=self.pause, patience=self.patience)
            self.tally = crowd.tally
            people = await crowd.register(self.buyers)
            self._is_open.set()
            await crowd.buy(people, lambda: not self._ends.is_set())


Event = tuple[str, float]


def lose_nodes(ring: Trial, *, calm: float, paused: float) -> list[Event]:
    """Kills one node and starts it again, then pauses another; what happened when."""
    events: list[Event] = []

    def note(words: str) -> None:
        events.append((words, time.monotonic()))
        print(words, flush=True)

    time.sleep(calm)
    note(f"node {KILLED} killed")
    ring.kill(KILLED)
    time.sleep(calm)
    note(f"node {KILLED} started again")
    ring.start(KILLED)
    time.sleep(calm)
    note(f"node {PAUSED} paused for {paused:g} s")
    ring.signal(signal.SIGSTOP, PAUSED)
    try:
        time.sleep(paused)
    finally:
        ring.signal(signal.SIGCONT, PAUSED)
    note(f"node {PAUSED} goes on")
    time.sleep(calm)
    return events


def differences(ring: Trial, tally: Tally, products: list[str]) -> list[str]:
    """Between the books in Cassandra and what the buyers were told; read past the shop's code."""
    from cassandra import ConsistencyLevel
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import RoundRobinPolicy

    profile = ExecutionProfile(RoundRobinPolicy(), consistency_level=ConsistencyLevel.SERIAL)
    nodes = [node.address for node in ring.ring.nodes]
    port, profiles = ring.ring.cql_port, {EXEC_PROFILE_DEFAULT: profile}
    with Cluster(nodes, port=port, execution_profiles=profiles) as cluster:
        session = cluster.connect("store")
        found: list[str] = []
        for product_id in products:
            rows = session.execute(f"SELECT * FROM stock WHERE product_id = {product_id}")  # noqa: S608
            found += _differences(product_id, list(rows), tally)
        return found


def _differences(product_id: str, rows: list[Any], tally: Tally) -> list[str]:
    taken = {str(row.order_id): row.quantity for row in rows if row.state in ("held", "sold")}
    found = []
    books = rows[0] if rows else None
    if books and books.initial != books.available + books.reserved + books.sold:
        found.append(f"{product_id}: {books} does not add up")
    # What an order of several lines takes before all are held counts as reserved, too.
    units = sum(taken.values()) + sum(row.quantity for row in rows if row.state == "making")
    if books and books.reserved + books.sold != units:
        found.append(f"{product_id}: {units} units in entries, not as in {books}")
    found += [
        f"{product_id}: order {row.order_id} is still being made"
        for row in rows
        if row.state == "making"
    ]
    for (order_id, bought), quantity in tally.bought.items():
        if bought == product_id and taken.get(order_id) != quantity:
            found.append(
                f"{product_id}: order {order_id} took {taken.get(order_id)}, not {quantity}"
            )
    return found


def report(tally: Tally, events: list[Event]) -> None:
    times = sorted(tally.journeys)
    median, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    orders = len({order_id for order_id, _ in tally.bought})
    print(f"{orders} orders acknowledged; journeys {median:.2f} s (median), {p99:.2f} s (p99)")
    seen = Counter((each.call, each.status) for each in tally.failures)
    words = [f"{count} {call} {status or 'no answer'}" for (call, status), count in seen.items()]
    print(f"{len(tally.failures)} requests failed: {', '.join(words) or 'none'}")
    refused = sorted(each.seconds for each in tally.failures if each.status == 503)
    if refused:
        slowest, middle = refused[-1], refused[len(refused) // 2]
        print(f"the answer 503 came after {middle:.2f} s (median), {slowest:.2f} s at most")
    print(f"{tally.given_up} still failed after {RETRY_BUDGET_SECONDS:g} s of retries")
    ends = [at for _, at in events[1:]] + [float("inf")]
    for (event, at), until in zip(events, ends, strict=True):
        within = [each for each in tally.failures if at <= each.at < until]
        last = f", the last after {max(each.at for each in within) - at:.1f} s" if within else ""
        print(f"  {event}: {len(within)} failed{last}")


def settled(shop: Shop, ring: Trial, load: Load, *, seconds: float) -> list[str]:
    """What differs when all is delivered, or still does after ``seconds``."""
    found: list[str] = []

    def is_exact() -> bool:
        found[:] = differences(ring, load.tally, load.products)
        return not found

    _patiently(shop, is_exact, seconds)
    return found


def _patiently(shop: Shop, condition: Callable[[], bool], seconds: float) -> None:
    try:
        shop.wait_until(condition, seconds=seconds)
    except TimeoutError:
        """The caller says what was found."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        with cassandra_on_trial(run / "ring", size=3) as ring:
            settings = ring.settings | {"CASSANDRA_REPLICATION": "3", "PASSWORD_ROUNDS": "4"}
            with shop_on_trial(run / "shop", **settings) as shop:
                with Load(shop.url, BUYERS, PAUSE_SECONDS) as load:
                    events = lose_nodes(ring, calm=SECONDS_OF_CALM, paused=SECONDS_PAUSED)
                report(load.tally, events)
                found = settled(shop, ring, load, seconds=SECONDS_TO_DELIVER)
    print("\n".join(found) or "Every acknowledged order is in the books, and they add up.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
