"""The shop on Cassandra, and Cassandra stopped and started in the middle of the README's tour."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from deploy.cassandra.buyers import products_on_sale
from deploy.cassandra.trial import Trial as Node
from deploy.cassandra.trial import cassandra_on_trial
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES
from tests.journeys.test_readme import assert_the_tour_runs
from tests.journeys.warming import warm_up

pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(300)]

TRIES = 10


@pytest.fixture(scope="module")
def node(can_have_cassandra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with cassandra_on_trial(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def running(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("shop_on_cassandra")
    with shop_on_trial(folder, **FAST_HASHES, **node.settings) as shop:
        warm_up(shop)
        yield shop
        assert shop.close() == 0


def test_the_tour_runs_on_cassandra(running: Trial):
    assert_the_tour_runs(running, retries=TRIES)


async def served(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer; 503, which a slow node on a busy machine may cause, is asked again."""
    answer = await call()
    for _ in range(TRIES):
        if answer.status_code != 503:
            break
        await asyncio.sleep(1)
        answer = await call()
    return answer


async def stock_within(admin: Buyer, product: str, wanted: int, *, seconds: float = 10) -> bool:
    """Whether it comes to be so: the cancelled order's units are given back by and by."""
    deadline = time.monotonic() + seconds
    while (await stock(admin, product)) != wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return await stock(admin, product) == wanted


async def stock(admin: Buyer, product: str) -> int:
    found = await served(lambda: admin.get(f"/api/products/{product}"))
    return int(found.json()["stock_count"])


async def test_cassandra_stops_in_the_middle_of_the_tour_and_comes_back(
    running: Trial, node: Node, gateway: httpx.AsyncClient, admin: Buyer
):
    (product,) = await products_on_sale(gateway, 1, stock=3)
    buyer = await Buyer.registered(gateway)
    await served(lambda: buyer.add(product))
    first = await served(lambda: buyer.check_out(key="before"))
    await served(lambda: buyer.add(product))

    node.signal(signal.SIGTERM)
    running.wait_until(lambda: not running.is_ready("catalog"))
    asked_at = time.monotonic()
    away = await admin.get("/api/products/")
    seconds = time.monotonic() - asked_at
    health = await gateway.get("/api/health")
    system = await gateway.get("/api/system/health")
    checkout = await buyer.check_out(key="during")
    cart = (await buyer.get("/cart-api/cart/")).json()
    cancelled = await buyer.cancel(first.json()["id"])
    profile = (await buyer.get("/user-api/users/me/profile")).json()
    node.start()
    running.wait_until(lambda: running.is_ready("catalog"), seconds=10)
    second = await served(lambda: buyer.check_out(key="during"))

    assert (away.status_code, health.status_code, system.status_code) == (503, 200, 503)
    assert away.headers["Retry-After"]
    assert seconds < 1.5
    assert (checkout.status_code, cancelled.status_code) == (503, 200)
    assert [line["product_id"] for line in cart["items"]] == [product]
    assert [order["status"] for order in profile["orders"]] == ["CANCELLED"]
    assert second.status_code == 200
    assert await stock_within(admin, product, 2)
