"""Services that are killed, one after another, while the others keep answering."""

import asyncio
import signal
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.layout import PREFIXES
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A shop of its own: these tests break it."""
    with shop_on_trial(tmp_path_factory.mktemp("broken"), **FAST_HASHES) as shop:
        yield shop
        assert shop.close() == 0


def wait_for(running: Trial, name: str, *, other_than: int) -> None:
    """Until the service has come back as another process."""
    running.wait_until(lambda: running.pid(name) not in (0, other_than) and running.is_ready(name))


@pytest.mark.parametrize("victim", ["carts", "orders", "catalog"])
async def test_a_killed_service_comes_back_and_the_others_answer_meanwhile(
    running: Trial, gateway: httpx.AsyncClient, victim: str
):
    others = [prefix for name, prefix in PREFIXES.items() if name != victim]

    killed = running.kill(victim)
    healths = [(await gateway.get(f"{prefix}/health")).status_code for prefix in others]
    wait_for(running, victim, other_than=killed)

    assert healths == [200, 200, 200]
    assert (await gateway.get(f"{PREFIXES[victim]}/health")).status_code == 200


async def test_a_checkout_while_orders_hangs_is_503_keeps_the_cart_and_becomes_one_order(
    running: Trial, gateway: httpx.AsyncClient, admin: Buyer
):
    product = await admin.new_product(stock=3)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)

    running.kill("orders", signal.SIGSTOP)
    unknown = await buyer.check_out(key="once")
    cart = (await buyer.get("/cart-api/cart/")).json()
    profile = (await buyer.get("/user-api/users/me/profile")).json()
    running.kill("orders", signal.SIGCONT)
    running.wait_until(lambda: running.is_ready("orders"))
    accepted = await buyer.check_out(key="once")

    assert unknown.status_code == 503
    assert unknown.headers["Retry-After"]
    assert [line["product_id"] for line in cart["items"]] == [product]
    assert (profile["orders"], profile["unavailable"]) == ([], ["orders"])
    assert accepted.status_code == 200
    assert [order["id"] for order in await buyer.orders()] == [accepted.json()["id"]]
    assert await admin.stock(product) == 2


async def test_without_carts_products_and_orders_are_served_and_the_cart_is_503(
    running: Trial, gateway: httpx.AsyncClient, admin: Buyer
):
    killed = running.kill("carts")
    cart, through_accounts, orders, products = await asyncio.gather(
        admin.get("/cart-api/cart/"),
        admin.get("/user-api/users/me/cart"),
        admin.get("/order-api/orders/"),
        admin.get("/api/products/"),
    )
    wait_for(running, "carts", other_than=killed)

    assert cart.status_code in (502, 503)
    assert through_accounts.status_code == 503
    assert through_accounts.headers["Retry-After"]
    assert (orders.status_code, products.status_code) == (200, 200)
