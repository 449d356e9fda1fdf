"""Each call of the contract's sections 3 to 6: its status, its keys, and what kind of values."""

from typing import Any

import pytest
from django.conf import settings

from tests.contract import callers
from tests.contract.examples import example
from tests.contract.operations import BY_NAME
from tests.contract.shapes import (
    CART,
    CART_LINE,
    MESSAGE,
    NEWS,
    ORDER,
    PAGE,
    PRODUCT,
    RESERVATION,
    SETTLED,
    TOKEN,
    USER,
    shape,
)
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTH = {"status": "text", "service": "text", "database_connection": "text"}
LABELS = dict.fromkeys(("CREATED", "PROCESSING", "SHIPPING", "DELIVERED", "CANCELLED"), "text")
SUMMARY = {"id": "uuid", "status": "text", "total": "number", "created_at": "time"}
TEXTS = ("description", "manufacturer")
CHANGED = {"message": "text", "order": ORDER}
COUNTS = ("initial", "adjustments", "available", "reserved", "sold", "withdrawn")
BOOKS = {"product_id": "uuid", "is_open": "switch"} | dict.fromkeys(COUNTS, "number")
SPENT = {"username": "text", "created_at": "time", "total_spent": "number"}
LISTED_HOLD = RESERVATION | {"user_id": "text", "created_at": "time"}

ROWS: dict[str, tuple[int, Any]] = {
    "catalog GET /products/": (200, PAGE),
    "catalog POST /products/": (201, PRODUCT),
    "catalog GET /products/{product_id}": (200, PRODUCT | dict.fromkeys(TEXTS, "null")),
    "catalog PUT /products/{product_id}": (200, PRODUCT),
    "catalog DELETE /products/{product_id}": (204, None),
    "catalog GET /products/by-category/{category}": (200, PAGE),
    "catalog GET /products/categories/list": (200, [{"name": "text", "product_count": "number"}]),
    "catalog POST /products/import": (200, {"created": "number", "existing": "number"}),
    "catalog GET /books/stock": (
        200,
        {"items": [BOOKS], "next_cursor": "null", "sold_kept_seconds": "number"},
    ),
    "catalog GET /reservations/": (200, {"items": [LISTED_HOLD], "next_cursor": "null"}),
    "catalog PUT /reservations/{order_id}": (200, RESERVATION),
    "catalog DELETE /reservations/{order_id}": (200, SETTLED),
    "catalog POST /reservations/moves": (200, {"items": [SETTLED]}),
    "catalog POST /reservations/{order_id}/return": (200, SETTLED),
    "catalog POST /reservations/{order_id}/sold": (200, SETTLED),
    "catalog GET /system/health": (200, HEALTH),
    "carts GET /cart/": (200, CART),
    "carts DELETE /cart/": (200, MESSAGE),
    "carts POST /cart/checkout": (200, ORDER),
    "carts POST /cart/items": (200, CART_LINE),
    "carts PUT /cart/items/{item_id}": (200, CART_LINE),
    "carts DELETE /cart/items/{item_id}": (200, MESSAGE),
    "carts GET /books/checkouts": (200, {"items": [], "next_cursor": "null"}),
    "carts GET /carts/": (200, {"items": [CART | {"user_id": "text"}], "next_cursor": "null"}),
    "carts POST /products/{product_id}/view": (200, MESSAGE),
    "carts GET /products/recent-views": (200, [{"product_id": "uuid", "viewed_at": "time"}]),
    "orders POST /books/orders": (200, {"items": [], "remembers_since": "time"}),
    "orders PUT /books/audit": (200, MESSAGE),
    "orders GET /orders/": (200, [ORDER]),
    "orders POST /orders/": (201, ORDER),
    "orders GET /orders/{order_id}": (200, ORDER),
    "orders PUT /orders/{order_id}/cancel": (200, CHANGED),
    "orders PUT /orders/{order_id}/status": (200, CHANGED),
    "orders GET /orders/statuses/list": (200, LABELS),
    "accounts GET /books/users": (200, {"items": [SPENT], "next_cursor": "null"}),
    "accounts POST /books/orders": (200, {"items": []}),
    "accounts GET /swagger-admin-token": (
        200,
        {"access_token": "text", "token_type": "text", "username": "text", "is_admin": "switch"},
    ),
    "accounts POST /token": (200, TOKEN),
    "accounts GET /users/me": (200, USER),
    "accounts PUT /users/me": (200, USER),
    "accounts GET /users/me/cart": (200, CART),
    "accounts GET /users/me/notifications": (200, [NEWS]),
    "accounts GET /users/me/orders": (200, [ORDER]),
    "accounts POST /users/me/orders": (200, ORDER),
    "accounts GET /users/me/profile": (
        200,
        USER | {"current_cart_total": "number", "orders": [SUMMARY]},
    ),
    "accounts GET /users/me/total-spent": (200, {"total_spent": "number"}),
    "accounts POST /users/notify/order-status": (200, MESSAGE),
    "accounts POST /users/notify/order-statuses": (200, {"noted": "number"}),
    "accounts POST /users/register": (201, USER | TOKEN),
    "accounts POST /users/verify": (200, {"username": "text", "is_admin": "switch"}),
}


async def test_every_operation_has_a_row() -> None:
    assert set(BY_NAME) - set(ROWS) == {"accounts GET /users/me/notifications/stream"}


@pytest.mark.parametrize("name", ROWS)
async def test_a_good_answer_has_these_keys_and_no_others(
    world: World, demo: None, name: str
) -> None:
    operation, (status, keys) = BY_NAME[name], ROWS[name]
    things = await world.things("boss")
    await world.client.post(f"/cart-api/products/{things.product}/view", headers=callers.admin())
    await world.settle()
    good = example(operation, things)
    body = {"json": good.body} if good.body is not None else {}

    answer = await world.client.request(operation.verb, good.url, headers=good.headers, **body)

    assert answer.status_code == status
    assert (shape(answer.json()) if answer.content else None) == keys


@pytest.mark.parametrize("service", ["catalog", "carts", "orders", "accounts"])
async def test_each_service_tells_about_itself(world: World, service: str) -> None:
    prefix = settings.PREFIXES[service]

    root = await world.get(f"{prefix}/")

    assert {"service", "version", "docs"} <= root.keys()
    assert root["service"] == service
    assert await world.get(f"{prefix}/health") == {"status": "ok", "service": service}
    assert (await world.client.get(f"{prefix}/ready")).status_code == 200
    assert (await world.client.get(root["docs"])).headers["Content-Type"].startswith("text/html")
    assert (await world.get(f"{prefix}/openapi.json"))["openapi"].startswith("3.")
