"""How late steps are told while an instance is killed every ten seconds.

python -m tests.orders.lateness [INSTANCES [SECONDS]]
"""

import asyncio
import os
import sys
import tempfile
from itertools import cycle
from pathlib import Path
from statistics import quantiles

import django
import httpx

import tests.environment  # noqa: F401  # before Django reads its settings
from deploy.cassandra.trial import cassandra_on_trial
from tests.orders.processes import Town, ports, town

LIFE = {
    "ORDER_PROCESSING_DELAY": "5",
    "ORDER_SHIPPING_DELAY": "5",
    "ORDER_DELIVERY_MIN": "5",
    "ORDER_DELIVERY_MAX": "10",
    "ORDER_RETENTION": "5",
}
ORDERS_A_SECOND = 5
SECONDS_BETWEEN_KILLS = 10


async def measure(folder: Path, settings: dict[str, str], *, count: int, seconds: int) -> None:
    async with town(folder, **settings, **LIFE) as here:
        await asyncio.gather(*map(here.start, ports(count)))
        killing = asyncio.create_task(kill_one_after_the_other(here))
        async with httpx.AsyncClient() as client:
            placing = []
            for number in range(seconds * ORDERS_A_SECOND):
                placing.append(asyncio.create_task(here.place(client, f"user{number % 50}")))
                await asyncio.sleep(1 / ORDERS_A_SECOND)
            outcomes = await asyncio.gather(*placing, return_exceptions=True)
            print("not placed:", sum(isinstance(each, BaseException) for each in outcomes))
        killing.cancel()
        print(dict(here.answers))
        await here.until_all_are("DELIVERED", seconds=120)
        report(here)


async def kill_one_after_the_other(here: Town) -> None:
    for port in cycle(list(here.running)):
        await asyncio.sleep(SECONDS_BETWEEN_KILLS)
        await here.end(port, lambda process: process.kill())
        await here.start(port)


def report(here: Town) -> None:
    first = {}
    for heard in here.accounts.heard:
        if heard.version > 1:
            first.setdefault((heard.order_id, heard.version), heard.late)
    parts = quantiles(first.values(), n=1000)
    print(
        f"{len(here.placed)} orders, {len(first)} steps; told after {parts[499]:.3f} s (median),"
        f" {parts[989]:.3f} s (p99), {max(first.values()):.3f} s at most;"
        f" {len(here.accounts.heard)} pieces of news;"
        f" load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    asked = [int(word) for word in sys.argv[1:]]
    count, seconds = (*asked, *(2, 60)[len(asked) :])
    django.setup()
    with tempfile.TemporaryDirectory() as name, cassandra_on_trial(Path(name)) as trial:
        asyncio.run(measure(Path(name), trial.settings, count=count, seconds=seconds))


if __name__ == "__main__":
    main()
