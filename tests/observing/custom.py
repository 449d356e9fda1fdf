"""A small mixed load: people who buy, are refused, cancel, and guess passwords."""

import asyncio
from uuid import uuid4

import httpx

from tests.journeys.buyers import Buyer

# An order is delivered after a second; a third wrong guess is throttled.
QUICK = {
    "PASSWORD_ROUNDS": "4",
    "LOGIN_LIMIT_USER": "2",
    "ORDER_PROCESSING_DELAY": "0.2",
    "ORDER_SHIPPING_DELAY": "0.2",
    "ORDER_DELIVERY_MIN": "0.5",
    "ORDER_DELIVERY_MAX": "0.6",
}
ROUNDS = 6
# Prometheus asks every second: what happens in one of its steps cannot be told apart.
PAUSE_SECONDS = 1.0


async def custom(url: str) -> None:
    """About ten seconds of it."""
    async with httpx.AsyncClient(base_url=url, timeout=15) as gateway:
        admin = await Buyer.logged_in(gateway, "swagger_admin", "admin123")
        for _ in range(ROUNDS):
            await asyncio.gather(
                buy(gateway, admin),
                cancel(gateway, admin),
                find_it_dearer(gateway, admin),
                guess(gateway),
                look_around(gateway, admin),
                asyncio.sleep(PAUSE_SECONDS),
            )


async def buy(gateway: httpx.AsyncClient, admin: Buyer) -> None:
    buyer = await Buyer.registered(gateway)
    await buyer.add(await admin.new_product(stock=10), 2)
    assert (await buyer.check_out()).status_code == 200
    assert (await buyer.check_out()).json()["code"] == "empty_cart"


async def cancel(gateway: httpx.AsyncClient, admin: Buyer) -> None:
    buyer = await Buyer.registered(gateway)
    await buyer.add(await admin.new_product(stock=10, price=1234.5))
    order = (await buyer.check_out()).json()
    assert (await buyer.cancel(order["id"])).status_code == 200


async def find_it_dearer(gateway: httpx.AsyncClient, admin: Buyer) -> None:
    product = await admin.new_product(stock=10)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)
    await admin.put(f"/api/products/{product}", json={"price": 99})
    assert (await buyer.check_out()).json()["code"] == "price_changed"


async def guess(gateway: httpx.AsyncClient) -> None:
    form = {"username": "swagger_user", "password": "a guess"}
    for _ in range(3):
        answer = await gateway.post("/user-api/token", data=form)
        assert answer.status_code in (401, 429)


async def look_around(gateway: httpx.AsyncClient, admin: Buyer) -> None:
    for path in ("/api/products/", "/cart-api/cart/", "/user-api/users/me/profile"):
        assert (await admin.get(path)).status_code == 200
    assert (await admin.get(f"/api/products/{uuid4()}")).status_code == 404
    assert (await gateway.get("/user-api/users/me")).status_code == 401
    assert (await gateway.get("/api/docs/", follow_redirects=True)).status_code == 200
