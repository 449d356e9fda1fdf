"""The whole tour, by its users, over four real processes and the real gateway."""

import asyncio
import time
from collections import Counter

import httpx
import pytest

from tests.journeys.buyers import Buyer

pytestmark = pytest.mark.processes


async def eventually(check, *, seconds: float = 5.0) -> None:
    """Waits for what the contract promises within some time; fails with the last answer."""
    ends_at = time.monotonic() + seconds
    while not (answer := await check())[0]:
        assert time.monotonic() < ends_at, f"not within {seconds} s: {answer}"
        await asyncio.sleep(0.05)


async def test_the_last_seven_units_go_to_seven_of_twenty_four_buyers(gateway, admin):
    product = await admin.new_product(stock=7)
    buyers = await asyncio.gather(*(Buyer.registered(gateway) for _ in range(24)))
    added = await asyncio.gather(*(buyer.add(product) for buyer in buyers))

    answers = await asyncio.gather(*(buyer.check_out() for buyer in buyers))

    assert [answer.status_code for answer in added] == [200] * 24
    assert Counter(answer.status_code for answer in answers) == {200: 7, 409: 17}
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(refused) == {"insufficient_stock"}
    assert await admin.stock(product) == 0
    placed = [len(await buyer.orders()) for buyer in buyers]
    assert placed == [1 if answer.status_code == 200 else 0 for answer in answers]


async def test_one_cart_checked_out_twenty_times_at_once_is_one_order(gateway, admin):
    product = await admin.new_product(stock=100)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product, 3)

    answers = await asyncio.gather(*(buyer.check_out() for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {200, 400}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert len(await buyer.orders()) == 1
    assert await admin.stock(product) == 97


async def test_one_key_checked_out_fifty_times_at_once_is_one_answer(gateway, admin):
    product = await admin.new_product(stock=100)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)

    answers = await asyncio.gather(*(buyer.check_out(key="twice") for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await admin.stock(product) == 99


async def test_an_order_ships_ten_seconds_after_checkout_and_the_notifications_tell(gateway, admin):
    product = await admin.new_product(stock=5)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)
    order = (await buyer.check_out()).json()
    checked_out_at = time.monotonic()

    async def is_shipping():
        answer = (await buyer.get(f"/order-api/orders/{order['id']}")).json()
        return answer["status"] == "SHIPPING", answer

    async def is_told():
        told = (await buyer.get("/user-api/users/me/notifications")).json()
        return [each["status"] for each in told] == ["SHIPPING", "PROCESSING", "CREATED"], told

    await eventually(is_shipping, seconds=12)
    assert 9 <= time.monotonic() - checked_out_at <= 11.5
    await eventually(is_told, seconds=2)


async def test_a_cancelled_order_gives_its_stock_back_once_and_is_not_counted_as_spent(
    gateway, admin
):
    product = await admin.new_product(stock=5)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product, 2)
    order = (await buyer.check_out()).json()

    answers = await asyncio.gather(*(buyer.cancel(order["id"]) for _ in range(5)))

    async def is_back():
        spent = (await buyer.get("/user-api/users/me/total-spent")).json()
        stock = await admin.stock(product)
        return (stock, spent) == (5, {"total_spent": 0}), (stock, spent)

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    await eventually(is_back, seconds=2)


async def test_a_changed_price_is_shown_before_it_is_charged(gateway, admin):
    product = await admin.new_product(stock=5, price=10)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)
    await admin.put(f"/api/products/{product}", json={"price": 12.5})

    refused = await buyer.check_out()
    cart = (await buyer.get("/cart-api/cart/")).json()
    accepted = await buyer.check_out()

    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    assert cart["total"] == 12.5
    assert (accepted.status_code, accepted.json()["total"]) == (200, 12.5)
    assert await admin.stock(product) == 4


async def test_the_profile_gathers_cart_and_orders(gateway, admin):
    product = await admin.new_product(stock=50, price=99.99)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product, 3)
    order = (await buyer.client.post("/user-api/users/me/orders", headers=buyer.headers)).json()
    await buyer.add(product, 2)

    profile = (await buyer.get("/user-api/users/me/profile")).json()

    assert order["total"] == 299.97
    assert profile["current_cart_total"] == 199.98
    assert [each["id"] for each in profile["orders"]] == [order["id"]]
    assert "unavailable" not in profile


async def test_what_is_for_services_cannot_be_reached_from_outside(gateway: httpx.AsyncClient):
    paths = ["/api/reservations/", "/api/metrics", "/cart-api/metrics", "/api/products/import"]

    answers = [await gateway.get(path) for path in paths]

    assert [answer.status_code for answer in answers] == [404] * len(paths)
    notify = await gateway.post("/user-api/users/notify/order-status", json={})
    assert notify.status_code == 401
