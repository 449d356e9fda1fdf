"""Two instances of carts on one Cassandra; one is killed in the middle of a checkout."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.cassandra.buyers import products_on_sale
from deploy.cassandra.trial import Trial as Node
from deploy.local.layout import PROJECT, service_environment
from deploy.local.ports import free_ports
from deploy.local.readiness import answers
from deploy.local.secret import secret_key
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES

pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(300)]

# Ten after the kill, and some for a machine that has other work.
SECONDS_TO_TAKE_OVER = 15


@pytest.fixture(scope="module")
def settings(cassandra: Node) -> dict[str, str]:
    return {**FAST_HASHES, **cassandra.settings, "STORE": "cassandra"}


@pytest.fixture(scope="module")
def running(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with shop_on_trial(tmp_path_factory.mktemp("shop_of_instances"), **settings) as shop:
        shop.wait_until(lambda: shop.is_ready("carts") and shop.is_ready("catalog"), seconds=60)
        yield shop
        assert shop.close() == 0


@contextmanager
def another_carts(
    shop: Trial, settings: dict[str, str], log: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A second instance, which nobody starts again, and its address."""
    (port,) = free_ports(1)
    environment = service_environment(shop.layout, secret_key=secret_key(shop.layout))
    own = {"DJANGO_SETTINGS_MODULE": "store.settings.carts", "SECRET_KEY": secret_key(shop.layout)}
    command = ["-m", "uvicorn", "store.asgi:application", "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT,
            env=environment | settings | own,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            shop.wait_until(lambda: answers(port, "/ready"), seconds=60)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


async def lines(buyer: Buyer) -> list[str]:
    cart = (await buyer.get("/cart-api/cart/")).json()
    return [line["product_id"] for line in cart.get("items", ["not answered"])]


async def test_what_is_put_in_through_one_is_seen_through_the_other(
    running: Trial, settings: dict[str, str], gateway: httpx.AsyncClient, tmp_path: Path
) -> None:
    buyer = await Buyer.registered(gateway)
    products = await products_on_sale(gateway, 4, stock=9)
    with another_carts(running, settings, tmp_path / "log") as (_, url):
        async with httpx.AsyncClient(base_url=url, headers=buyer.headers, timeout=15) as second:
            here = [buyer.add(product) for product in products[:2]]
            there = [
                second.post("/cart/items", json={"product_id": product, "quantity": 1})
                for product in products[2:]
            ]
            added = await asyncio.gather(*here, *there)

            seen = (await second.get("/cart/")).json()["items"]

    assert {answer.status_code for answer in added} == {200}
    assert {line["product_id"] for line in seen} == set(products) == set(await lines(buyer))


async def test_a_checkout_is_finished_by_the_other_when_its_instance_is_killed(
    running: Trial, settings: dict[str, str], gateway: httpx.AsyncClient, tmp_path: Path
) -> None:
    buyer = await Buyer.registered(gateway)
    (product,) = await products_on_sale(gateway, 1, stock=9)
    await buyer.add(product)
    with another_carts(running, settings, tmp_path / "log") as (second, url):
        async with httpx.AsyncClient(base_url=url, headers=buyer.headers, timeout=15) as client:
            orders = running.kill("orders", signal.SIGSTOP)
            checkout = asyncio.create_task(client.post("/cart/checkout"))
            await asyncio.sleep(1)
            second.kill()
            killed_at = time.monotonic()
            os.kill(orders, signal.SIGCONT)
            with pytest.raises(httpx.TransportError):
                await checkout
    while await lines(buyer) and time.monotonic() - killed_at < SECONDS_TO_TAKE_OVER:
        await asyncio.sleep(0.2)

    assert await lines(buyer) == []
    assert [len(order["items"]) for order in await buyer.orders()] == [1]
    assert await buyer.stock(product) == 8
