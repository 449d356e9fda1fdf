"""P6: a hundred thousand orders on their way: how late a step is, and what an order takes.

The orders are written into a journal, and the shop is started on it: each of them is being
shipped, and due at some time of the four minutes that the clock draws for a delivery.
"""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from tests.bench.servers import SECRET_KEY, resident, services

ORDERS = 100_000
# The shop has to be open before the first is due.
HEAD_START, SPREAD = timedelta(seconds=60), timedelta(seconds=240)
AT_ONCE = 2000
PRODUCTS = 100
_BUCKET = re.compile(r'order_step_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)')


@dataclass(frozen=True)
class Flight:
    """``p99``: the bound of the histogram below which 99 % of the steps were late, in seconds.

    ``memory``: bytes that an order adds to the process.
    """

    steps: int
    p99: float
    memory: float


def measured(*, orders: int = ORDERS, seconds: float = 15.0) -> Flight:
    with tempfile.TemporaryDirectory() as empty, services(DATA_DIR=empty) as running:
        without = resident(running["orders"].pid)
    with tempfile.TemporaryDirectory() as folder:
        first_due_at = asyncio.run(_written(Path(folder), orders))
        with services(DATA_DIR=folder) as running:
            with_orders = resident(running["orders"].pid)
            url = running["orders"].url
            time.sleep(max(0.0, (first_due_at - datetime.now(UTC)).total_seconds() + 2))
            before = _late(url)
            time.sleep(seconds)
            after = _late(url)
    counts = {bound: after[bound] - before[bound] for bound in after}
    steps = counts[float("inf")]
    p99 = min(bound for bound, count in counts.items() if count >= 0.99 * steps)
    return Flight(int(steps), p99, (with_orders - without) / orders)


async def _written(data: Path, number: int) -> datetime:
    """When the first order is due."""
    import django

    os.environ |= {"SECRET_KEY": SECRET_KEY, "DJANGO_SETTINGS_MODULE": "store.settings.orders"}
    django.setup()
    from orders.journal import JournaledOrders
    from store.journal import open_journal

    journal = open_journal(data, "orders")
    journal.open()
    repository = JournaledOrders(journal)
    now = datetime.now(UTC)
    for start in range(0, number, AT_ONCE):
        some = range(start, min(start + AT_ONCE, number))
        await asyncio.gather(*(_placed(repository, place / number, now) for place in some))
    await journal.close()
    return now + HEAD_START


async def _placed(repository: object, share: float, now: datetime) -> None:
    """An order that is due after this share of the four minutes."""
    from orders.domain import Line, Order, PendingOrder, Status

    price = Decimal("10.50")
    lines = (Line(UUID(int=int(share * 1e9) % PRODUCTS), 1, price, "Молоко, бидон"),)
    user = f"flight_{int(share * 1e9) % 5000}"
    pending = PendingOrder(uuid4(), user, lines, price, now + timedelta(seconds=60))
    order = Order(
        id=pending.id,
        user_id=user,
        lines=lines,
        total=price,
        status=Status.SHIPPING,
        version=3,
        created_at=now,
        updated_at=now,
        next_at=now + HEAD_START + share * SPREAD,
        delivery=SPREAD,
    )
    await repository.begin(pending, most_open=10**9)
    await repository.commit(order, expected_version=0, messages=[])


def _late(url: str) -> Mapping[float, float]:
    """Steps by the bound of their lateness, cumulated."""
    text = httpx.get(f"{url}/metrics").raise_for_status().text
    return {float(bound): float(count) for bound, count in _BUCKET.findall(text)}
