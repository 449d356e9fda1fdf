"""Two instances of every service on one Cassandra, and what becomes of it when some are killed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.cassandra.buyers import products_on_sale
from deploy.cassandra.trial import Trial as Node
from deploy.local.layout import ADDRESS_SETTINGS, PROJECT, SERVICES
from deploy.local.secret import secret_key
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES
from tests.journeys.test_journal import keep_buying
from tests.journeys.test_readme import assert_the_tour_runs

pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(400)]

BUYERS = 5
STOCK = 10_000
TRIES = 10
VICTIMS = ("carts-1", "orders-2")


@pytest.fixture(scope="module")
def running(cassandra: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """In a keyspace of its own: the books of this shop are read."""
    own = {"STORE": "cassandra", "INSTANCES": "2", "CASSANDRA_KEYSPACE": "instances"}
    folder = tmp_path_factory.mktemp("two_of_each")
    with shop_on_trial(folder, **FAST_HASHES, **cassandra.settings, **own) as shop:
        services = [name for name in shop.layout.processes if name != "gateway"]
        shop.wait_until(lambda: all(map(shop.is_ready, services)), seconds=60)
        yield shop
        assert shop.close() == 0


@pytest.fixture
async def gateway(running: Trial) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url, timeout=15) as client:
        yield client


def test_the_tables_were_made_once_before_and_the_tour_runs(running: Trial):
    assert_the_tour_runs(running, retries=TRIES)

    made = (running.layout.logs / "schema.log").read_text()
    assert all(f"{service} has its tables" in made for service in SERVICES)
    pids = {running.pid(f"{name}-{number}") for name in SERVICES for number in (1, 2)}
    assert len(pids - {0}) == 2 * len(SERVICES)


async def count_to(wanted: int, seen: set[str]) -> None:
    async with asyncio.timeout(90):
        while len(seen) < wanted:
            await asyncio.sleep(0.05)


async def killed_and_back(shop: Trial) -> None:
    """The victims, at the same time; supervisord starts them again."""
    killed = {name: shop.kill(name) for name in VICTIMS}

    def are_back() -> bool:
        return all(
            shop.pid(name) not in (0, pid) and shop.is_ready(name) for name, pid in killed.items()
        )

    await asyncio.to_thread(shop.wait_until, are_back, seconds=90)


def audited(shop: Trial) -> "subprocess.CompletedProcess[str]":
    addresses = {name: shop.layout.url(service) for service, name in ADDRESS_SETTINGS.items()}
    return subprocess.run(
        [sys.executable, "manage.py", "audit"],
        cwd=PROJECT,
        env=dict(os.environ) | addresses | {"SECRET_KEY": secret_key(shop.layout)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_books_balance_after_instances_were_killed_amid_checkouts(
    running: Trial, gateway: httpx.AsyncClient
):
    (product,) = await products_on_sale(gateway, 1, stock=STOCK)
    buyers = [await Buyer.registered(gateway) for _ in range(BUYERS)]
    seen, stop = set[str](), asyncio.Event()
    crowd = [asyncio.create_task(keep_buying(each, product, seen, stop)) for each in buyers]
    await count_to(2 * BUYERS, seen)
    await killed_and_back(running)
    await count_to(len(seen) + 2 * BUYERS, seen)
    stop.set()
    await asyncio.gather(*crowd)

    # A checkout that was held by the killed one is finished by another within seconds.
    await asyncio.sleep(10)
    done = await asyncio.to_thread(audited, running)

    orders = [order for buyer in buyers for order in await buyer.orders()]
    sold = sum(line["quantity"] for order in orders for line in order["items"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen <= {order["id"] for order in orders}
    assert await buyers[0].stock(product) == STOCK - sold
