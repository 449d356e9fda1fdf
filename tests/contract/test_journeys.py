"""What people do across the four services, told from beginning to end in one process."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.contract import callers
from tests.contract.rules import decoded
from tests.contract.world import PASSWORD, World
from tests.store.connection import Connection

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOSS = callers.admin()
RUSSIAN = {
    "CREATED": "Создан",
    "PROCESSING": "Обрабатывается",
    "SHIPPING": "Доставляется",
    "DELIVERED": "Доставлен",
    "CANCELLED": "Отменен",
}
ODD_TEXTS = [
    *("Ёж", "é", "e\u0301", "\U0001f469\u200d\U0001f680", "\u202eabc", "a\r\nb", "\x1b[31m"),
    *("'; DROP TABLE products;--", "<b>&amp;", "\\u0410", "{{ 7 * 7 }}", "%s%n", "\ufeff", "=1+1"),
]
ENGLISH = {name: name.capitalize() for name in RUSSIAN}


async def newcomer(world: World) -> callers.Headers:
    """Somebody who registers with the form that anyone sends."""
    body = {
        "username": f"anna_{uuid4().hex[:8]}",
        "full_name": "Анна Каренина",
        "phone": "+7 (495) 000-00-00",
        "password": PASSWORD,
    }
    user = await world.ok("POST", "/user-api/users/register", json=body)
    return callers.bearer(user["access_token"])


async def test_from_registration_to_a_cancelled_order_and_back(world: World) -> None:
    anna = await newcomer(world)
    lamp = await world.product(name="Лампа", category="Свет", price=99.99, stock=5)

    (seen,) = (await world.get("/api/products/?category=Свет", anna))["items"]
    line = {"product_id": seen["product_id"], "quantity": 2}
    await world.ok("POST", "/cart-api/cart/items", json=line, headers=anna)
    raised = await world.ok(
        "POST", "/cart-api/cart/items", json=line | {"quantity": 1}, headers=anna
    )
    assert (raised["quantity"], raised["total_price"]) == (3, 299.97)

    order = await world.ok("POST", "/user-api/users/me/orders", headers=anna)
    assert (order["total"], order["status"]) == (299.97, "CREATED")
    assert await world.get("/cart-api/cart/", anna) == {"items": [], "total": 0}
    assert (await world.get(f"/api/products/{lamp}"))["stock_count"] == 2
    await world.settle()
    assert await world.get("/user-api/users/me/total-spent", anna) == {"total_spent": 299.97}

    url = f"/order-api/orders/{order['id']}"
    await world.ok("PUT", f"{url}/status", json={"status": "PROCESSING"}, headers=BOSS)
    await world.ok("PUT", f"{url}/status?status=SHIPPING", headers=BOSS)
    assert (await world.client.put(f"{url}/cancel", headers=anna)).status_code == 403
    cancelled = await world.ok("PUT", f"{url}/cancel", headers=BOSS)
    assert cancelled["order"]["status"] == "CANCELLED"
    await world.settle()

    assert (await world.get(f"/api/products/{lamp}"))["stock_count"] == 5
    assert await world.get("/user-api/users/me/total-spent", anna) == {"total_spent": 0}
    news = await world.get("/user-api/users/me/notifications", anna)
    path = ["CANCELLED", "SHIPPING", "PROCESSING", "CREATED"]
    assert [each["status"] for each in news] == path
    assert {(each["order_id"], each["total"]) for each in news} == {(order["id"], 299.97)}
    profile = await world.get("/user-api/users/me/profile", anna)
    assert [(each["id"], each["status"]) for each in profile["orders"]] == [
        (order["id"], "CANCELLED")
    ]
    assert (profile["total_spent"], profile["current_cart_total"]) == (0, 0)


async def test_what_is_delivered_stays_spent(world: World) -> None:
    anna = await newcomer(world)
    product = await world.product(price=0.01)
    await world.ok(
        "POST", "/cart-api/cart/items", json={"product_id": product, "quantity": 7}, headers=anna
    )
    order = await world.ok("POST", "/cart-api/cart/checkout", json={}, headers=anna)

    for status in ("PROCESSING", "SHIPPING", "DELIVERED"):
        url = f"/order-api/orders/{order['id']}/status"
        changed = await world.ok("PUT", url, data={"status": status}, headers=BOSS)
        assert changed["order"]["status"] == status
    await world.settle()

    assert await world.get("/user-api/users/me/total-spent", anna) == {"total_spent": 0.07}
    assert (await world.get(f"/order-api/orders/{order['id']}", anna))["status"] == "DELIVERED"


async def test_logging_in_by_form_and_by_json_and_changing_oneself(world: World) -> None:
    anna = await newcomer(world)
    name = (await world.get("/user-api/users/me", anna))["username"]
    login = {"username": name.upper(), "password": PASSWORD}

    by_form = await world.ok("POST", "/user-api/token", data={"grant_type": "password", **login})
    by_json = await world.ok("POST", "/user-api/token", json=login)
    await world.ok("PUT", "/user-api/users/me", data={"phone": "+7 000"}, headers=anna)
    changed = await world.ok("PUT", "/user-api/users/me", json={"full_name": "Ё"}, headers=anna)

    assert {by_form["token_type"], by_json["token_type"]} == {"bearer"}
    assert {by_form["expires_in"], by_json["expires_in"]} == {1800}
    assert (changed["phone"], changed["full_name"]) == ("+7 000", "Ё")
    token = callers.bearer(by_form["access_token"])
    assert (await world.get("/user-api/users/me", token))["username"] == name


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("said", ["", "-1", "3", "many"])
async def test_a_body_is_as_long_as_it_is_whatever_is_said_of_it(
    world: World, accept: str, said: str
) -> None:
    anna = await newcomer(world)

    async def chunks() -> AsyncIterator[bytes]:
        for part in ('{"full_', 'name": "', "По", 'частям"}'):
            yield part.encode()

    headers = _json(anna) | {"Accept": accept} | ({"Content-Length": said} if said else {})
    answer = await world.client.put("/user-api/users/me", content=chunks(), headers=headers)

    assert answer.status_code == 200
    assert (await world.get("/user-api/users/me", anna))["full_name"] == "Почастям"


async def test_a_line_is_known_by_its_own_id_and_by_its_products(world: World) -> None:
    anna = await newcomer(world)
    first, second = await world.product(price=1), await world.product(price=2.5)

    async def put(product: str) -> str:
        body = {"product_id": product, "quantity": 1}
        line = await world.ok("POST", "/cart-api/cart/items", json=body, headers=anna)
        return str(line["id"])

    lines = [await put(first), await put(second)]
    items = "/cart-api/cart/items"
    await world.ok("PUT", f"{items}/{first}", json={"quantity": 3}, headers=anna)
    await world.ok("PUT", f"{items}/{lines[1]}", json={"quantity": 4}, headers=anna)
    both = await world.get("/cart-api/cart/", anna)
    await world.ok("DELETE", f"{items}/{second}", headers=anna)
    await world.ok("DELETE", f"{items}/{lines[0]}", headers=anna)

    assert [(each["id"], each["quantity"]) for each in both["items"]] == [
        (lines[0], 3),
        (lines[1], 4),
    ]
    assert both["total"] == 13
    assert await world.get("/cart-api/cart/", anna) == {"items": [], "total": 0}
    await world.ok("DELETE", "/cart-api/cart/", headers=anna)


async def test_a_product_changes_field_by_field_and_is_deleted_once(world: World) -> None:
    product = await world.product(name="Сыр", description="Хорош", price=10.5)
    url = f"/api/products/{product}"

    cheaper = await world.ok("PUT", url, json={"price": 9.9}, headers=BOSS)
    bare = await world.ok("PUT", url, json={"description": None}, headers=BOSS)
    deleted = await world.client.delete(url, headers=BOSS)
    again = await world.client.delete(url, headers=BOSS)

    assert cheaper == bare | {"description": "Хорош"}
    assert (bare["name"], bare["price"], bare["description"]) == ("Сыр", 9.9, None)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "product_not_found")


@pytest.mark.parametrize(
    ("price", "sent"),
    [("0.01", "0.01"), ("99999999.99", "99999999.99"), ("10", "10.00"), ("1.5", "1.500000")],
)
async def test_money_crosses_the_wire_to_the_kopeck(world: World, price: str, sent: str) -> None:
    body = {"name": "Рубль", "category": "Деньги", "stock_count": 2_147_483_647, "price": "PRICE"}
    content = json.dumps(body).replace('"PRICE"', sent)

    answer = await world.client.post("/api/products/", content=content, headers=_json(BOSS))

    assert answer.status_code == 201
    assert Decimal(decoded(answer)["price"]) == Decimal(price)
    assert decoded(answer)["stock_count"] == 2_147_483_647


def _json(headers: callers.Headers) -> callers.Headers:
    return headers | {"Content-Type": "application/json"}


@pytest.mark.parametrize("name", ODD_TEXTS)
async def test_texts_come_back_as_they_went_in(world: World, name: str) -> None:
    product = await world.product(name=name, description=name * 30)

    answer = await world.client.get(f"/api/products/{product}", headers=BOSS)

    assert (answer.json()["name"], answer.json()["description"]) == (name, name * 30)


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        ({}, RUSSIAN),
        ({"Accept-Language": "en"}, ENGLISH),
        ({"Accept-Language": "en-US,en;q=0.9,ru;q=0.8"}, ENGLISH),
        ({"Accept-Language": "ru-RU,ru;q=0.9,en-US;q=0.8"}, RUSSIAN),
        ({"Accept-Language": "de"}, RUSSIAN),
        ({"Accept-Language": ",;q=,\x7f"}, RUSSIAN),
    ],
)
async def test_the_statuses_have_names_in_two_languages(
    world: World, language: dict[str, str], labels: dict[str, str]
) -> None:
    answer = await world.client.get("/order-api/orders/statuses/list", headers=language)

    assert answer.json() == labels
    assert labels["CREATED"].encode() in answer.content


async def test_news_come_live_as_they_happen(world: World) -> None:
    anna = await newcomer(world)
    product = await world.product()
    raw = [(name.lower().encode(), value.encode()) for name, value in anna.items()]
    stream = Connection("GET", "/user-api/users/me/notifications/stream", headers=raw)
    running = asyncio.ensure_future(stream.run())
    body = {"product_id": product, "quantity": 1}
    await world.ok("POST", "/cart-api/cart/items", json=body, headers=anna)

    order = await world.ok("POST", "/cart-api/cart/checkout", headers=anna)
    async with asyncio.timeout(5):
        while b"event:" not in stream.body:
            await asyncio.sleep(0.002)
    stream.leave()
    await running

    kinds = [value for name, value in stream.headers.items() if name.lower() == "content-type"]
    assert kinds == ["text/event-stream"]
    assert _event(stream.body) == (await world.get("/user-api/users/me/notifications", anna))[0]
    assert _event(stream.body)["order_id"] == order["id"]


def _event(stream: bytes) -> Any:
    lines = [line for line in stream.decode().splitlines() if line.startswith("data: ")]
    return json.loads(lines[0].removeprefix("data: "))
