"""Carts among the other services: its promises hold with the real catalog and orders."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from store import wire

Auth = Callable[..., dict[str, str]]
Client = httpx.AsyncClient


def data(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return wire.decode(answer.content)


@pytest.fixture
def boss(auth: Auth) -> dict[str, str]:
    return auth("boss", admin=True)


@pytest.fixture
async def lamp(shop: Client, boss: dict[str, str]) -> dict[str, Any]:
    """Five are in stock."""
    product = {"name": "Лампа", "category": "Дом", "price": 99.99, "stock_count": 5}
    answer = await shop.post("/api/products/", json=product, headers=boss)
    made: dict[str, Any] = data(answer, 201)
    return made


async def put_in(shop: Client, lamp: dict[str, Any], user: dict[str, str], quantity: int) -> Any:
    body = {"product_id": lamp["product_id"], "quantity": quantity}
    return data(await shop.post("/cart-api/cart/items", json=body, headers=user))


async def check_out(shop: Client, user: dict[str, str], **headers: str) -> httpx.Response:
    return await shop.post("/cart-api/cart/checkout", headers=user | headers)


async def stock(shop: Client, lamp: dict[str, Any], boss: dict[str, str]) -> int:
    answer = await shop.get(f"/api/products/{lamp['product_id']}", headers=boss)
    return int(data(answer)["stock_count"])


async def cart(shop: Client, user: dict[str, str]) -> Any:
    return data(await shop.get("/cart-api/cart/", headers=user))


async def test_a_cart_becomes_an_order_and_its_stock_is_taken(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    alice = auth("alice")
    await put_in(shop, lamp, alice, 3)

    order = data(await check_out(shop, alice))

    assert (order["user_id"], order["status"]) == ("alice", "CREATED")
    assert order["total"] == Decimal("299.97")
    assert order["items"] == [
        {
            "product_id": lamp["product_id"],
            "name": "Лампа",
            "price": Decimal("99.99"),
            "quantity": 3,
        }
    ]
    assert (await cart(shop, alice))["items"] == []
    assert await stock(shop, lamp, boss) == 2
    listed = data(await shop.get("/order-api/orders/", headers=alice))
    assert [each["id"] for each in listed] == [order["id"]]


async def test_the_last_pieces_are_sold_once(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    buyers = [auth(f"buyer{number}") for number in range(8)]
    for buyer in buyers:
        await put_in(shop, lamp, buyer, 1)

    answers = await asyncio.gather(*(check_out(shop, buyer) for buyer in buyers))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [409] * 3
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert data(refused, 409)["code"] == "insufficient_stock"
    assert await stock(shop, lamp, boss) == 0


async def test_after_a_change_of_price_the_cart_shows_it_and_the_next_checkout_pays_it(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    alice = auth("alice")
    await put_in(shop, lamp, alice, 2)
    path = f"/api/products/{lamp['product_id']}"
    data(await shop.put(path, json={"price": 120.5}, headers=boss))

    refusal = data(await check_out(shop, alice), 409)

    assert refusal["code"] == "price_changed"
    assert (await cart(shop, alice))["total"] == 241
    assert await stock(shop, lamp, boss) == 5
    assert data(await check_out(shop, alice))["total"] == 241


async def test_a_product_that_is_gone_is_not_bought_and_the_cart_stays(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    alice = auth("alice")
    await put_in(shop, lamp, alice, 2)
    await shop.delete(f"/api/products/{lamp['product_id']}", headers=boss)

    refusal = data(await check_out(shop, alice), 409)

    assert refusal["code"] == "product_unavailable"
    assert len((await cart(shop, alice))["items"]) == 1


async def test_fifty_clicks_with_and_fifty_without_a_key_are_one_order_each(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    alice = auth("alice")
    await put_in(shop, lamp, alice, 1)
    with_key = [check_out(shop, alice, **{"Idempotency-Key": "k1"}) for _ in range(50)]
    first = {data(answer)["id"] for answer in await asyncio.gather(*with_key)}
    await put_in(shop, lamp, alice, 1)

    answers = await asyncio.gather(*(check_out(shop, alice) for _ in range(50)))

    assert {answer.status_code for answer in answers} <= {200, 400}
    second = {data(answer)["id"] for answer in answers if answer.status_code == 200}
    assert (len(first), len(second), len(first | second)) == (1, 1, 2)
    assert await stock(shop, lamp, boss) == 3


async def test_the_same_key_again_answers_the_old_order_and_buys_nothing(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    alice, key = auth("alice"), {"Idempotency-Key": "k1"}
    await put_in(shop, lamp, alice, 2)
    order = data(await check_out(shop, alice, **key))
    await put_in(shop, lamp, alice, 1)

    again = await check_out(shop, alice, **key)

    assert data(again) == order
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await cart(shop, alice))["items"][0]["quantity"] == 1
    assert await stock(shop, lamp, boss) == 3


async def test_an_admin_sees_a_users_cart(
    shop: Client, lamp: dict[str, Any], boss: dict[str, str], auth: Auth
) -> None:
    await put_in(shop, lamp, auth("alice"), 2)

    page = data(await shop.get("/cart-api/carts/", headers=boss))

    (seen,) = page["items"]
    assert (seen["user_id"], seen["total"]) == ("alice", Decimal("199.98"))
    assert seen["items"][0]["name"] == "Лампа"


async def test_views_of_real_products_are_remembered(
    shop: Client, lamp: dict[str, Any], auth: Auth
) -> None:
    alice = auth("alice")
    path = f"/cart-api/products/{lamp['product_id']}/view"
    data(await shop.post(path, headers=alice))

    (view,) = data(await shop.get("/cart-api/products/recent-views", headers=alice))

    assert view["product_id"] == lamp["product_id"]
