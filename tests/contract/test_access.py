"""Who may call what: a table of every operation, and every way to claim to be somebody else."""

from typing import Any

import pytest
from django.test import override_settings

from tests.contract import callers
from tests.contract.callers import ADMIN_HEADER, Headers
from tests.contract.examples import example
from tests.contract.operations import BY_NAME, OPERATIONS, Operation
from tests.contract.world import PASSWORD, Things, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS = ("nobody", "owner", "stranger", "admin", "role", "service", "acting")
# nobody      without any credentials
# owner       the user whose cart, order and so on it is
# stranger    another user
# admin       by the token
# role        anyone who sends `admin: true` in demo mode: an admin who is no person
# service     another service for itself
# acting      another service for the owner, by X-User-ID
ANYONE = "200 200 200 200 200 200 200"
PERSON = "401 200 200 200 401 403 200"
OWN_ITEM = "401 200 404 404 401 403 200"  # strangers have no such item
CHECKOUT = "401 200 400 400 401 403 200"  # strangers' carts are empty
ADMIN = "401 403 403 200 200 403 403"
SERVICE = "401 403 403 403 401 200 200"

TABLE = {
    "catalog GET /products/": ADMIN,  # others choose a category
    "catalog POST /products/": "401 403 403 201 201 403 403",
    "catalog GET /products/{product_id}": "401 200 200 200 200 200 200",
    "catalog PUT /products/{product_id}": ADMIN,
    "catalog DELETE /products/{product_id}": "401 403 403 204 204 403 403",
    "catalog GET /products/by-category/{category}": "401 200 200 200 200 403 200",
    "catalog GET /products/categories/list": ANYONE,
    "catalog POST /products/import": SERVICE,
    "catalog GET /books/stock": SERVICE,
    "catalog GET /reservations/": SERVICE,
    "catalog PUT /reservations/{order_id}": SERVICE,
    "catalog DELETE /reservations/{order_id}": SERVICE,
    "catalog POST /reservations/moves": SERVICE,
    "catalog POST /reservations/{order_id}/return": SERVICE,
    "catalog POST /reservations/{order_id}/sold": SERVICE,
    "catalog GET /system/health": ANYONE,
    "carts GET /cart/": PERSON,
    "carts DELETE /cart/": PERSON,
    "carts POST /cart/checkout": CHECKOUT,
    "carts POST /cart/items": PERSON,
    "carts PUT /cart/items/{item_id}": OWN_ITEM,
    "carts DELETE /cart/items/{item_id}": OWN_ITEM,
    "carts GET /books/checkouts": SERVICE,
    "carts GET /carts/": ADMIN,
    "carts POST /products/{product_id}/view": PERSON,
    "carts GET /products/recent-views": PERSON,
    "orders POST /books/orders": SERVICE,
    "orders PUT /books/audit": SERVICE,
    "orders GET /orders/": "401 200 200 200 200 403 200",
    "orders POST /orders/": "401 201 201 201 401 403 201",
    "orders GET /orders/{order_id}": "401 200 403 200 200 403 200",
    "orders PUT /orders/{order_id}/cancel": "401 200 403 200 200 403 200",
    "orders PUT /orders/{order_id}/status": ADMIN,
    "orders GET /orders/statuses/list": ANYONE,
    "accounts GET /books/users": SERVICE,
    "accounts POST /books/orders": SERVICE,
    "accounts GET /swagger-admin-token": "404 404 404 404 200 404 404",  # demo mode only
    "accounts POST /token": ANYONE,
    "accounts GET /users/me": PERSON,
    "accounts PUT /users/me": PERSON,
    "accounts GET /users/me/cart": PERSON,
    "accounts GET /users/me/notifications": PERSON,
    "accounts GET /users/me/notifications/stream": PERSON,
    "accounts GET /users/me/orders": PERSON,
    "accounts POST /users/me/orders": CHECKOUT,
    "accounts GET /users/me/profile": PERSON,
    "accounts GET /users/me/total-spent": PERSON,
    "accounts POST /users/notify/order-status": SERVICE,  # of which only orders, see below
    "accounts POST /users/notify/order-statuses": SERVICE,
    "accounts POST /users/register": "201 201 201 201 201 201 201",
    "accounts POST /users/verify": SERVICE,
}
# One of each service at which an admin's token is good.
DOORS = [
    "catalog GET /products/",
    "carts GET /cart/",
    "orders GET /orders/",
    "accounts GET /users/me",
]


def name_of(operation: Operation) -> str:
    return operation.name


def headers_of(caller: str, operation: Operation) -> Headers:
    other = "orders" if operation.service != "orders" else "carts"
    match caller:
        case "nobody":
            return {}
        case "admin":
            return callers.admin()
        case "role":
            return ADMIN_HEADER
        case "service":
            return callers.service(other, operation.service)
        case "acting":
            return callers.service(other, operation.service, acting_for="owner")
    return callers.user(caller)


async def ask(world: World, operation: Operation, headers: Headers) -> int:
    """The status of an answer to a good request about fresh things of the owner."""
    for name in ("stranger", "boss"):
        await world.empty_cart(name)
    good = example(operation, await world.things_for(operation, "owner"))
    body = {"json": good.body} if good.body is not None else {}
    return await world.send(operation, good.url, headers=headers, **body)


def expected(operation: Operation, caller: str) -> int:
    return int(TABLE[operation.name].split()[CALLERS.index(caller)])


async def test_the_table_has_every_operation_and_no_other() -> None:
    assert set(TABLE) == set(BY_NAME)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
async def test_everyone_gets_what_the_table_says(world: World, operation: Operation) -> None:
    found = {}
    for caller in CALLERS:
        with override_settings(DEMO=caller == "role"):
            found[caller] = await ask(world, operation, headers_of(caller, operation))

    assert found == {caller: expected(operation, caller) for caller in CALLERS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
async def test_without_demo_mode_the_admin_header_changes_nothing(
    world: World, operation: Operation
) -> None:
    found = {
        caller: await ask(world, operation, headers_of(caller, operation) | ADMIN_HEADER)
        for caller in ("nobody", "owner", "stranger", "admin")
    }

    assert found == {caller: expected(operation, caller) for caller in found}


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
async def test_bad_credentials_are_401_everywhere_and_change_nothing(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    body = {"json": good.body} if good.body is not None else {}
    bad = callers.bad_credentials(operation.service)
    if operation.name == "accounts POST /token":
        del bad["Basic"]  # OAuth2 clients send their id in it; it is not looked at
    before = await world.seen()

    found = {
        name: await world.send(operation, good.url, headers=headers, **body)
        for name, headers in bad.items()
    }

    assert {name: status for name, status in found.items() if status != 401} == {}
    assert await world.seen() == before


@pytest.mark.parametrize("door", DOORS)
async def test_no_odd_token_opens_a_door(world: World, things: Things, door: str) -> None:
    url = example(BY_NAME[door], things).url
    assert (await world.client.get(url, headers=callers.admin())).status_code == 200

    found = {
        name: (await world.client.get(url, headers=headers)).status_code
        for name, headers in callers.odd_tokens().items()
    }

    assert {name: status for name, status in found.items() if status != 401} == {}


@pytest.mark.parametrize("door", DOORS)
async def test_two_authorizations_are_none(world: World, things: Things, door: str) -> None:
    good = callers.admin()["Authorization"]
    headers = [("Authorization", good), ("Authorization", good)]

    answer = await world.client.get(example(BY_NAME[door], things).url, headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("caller", ["catalog", "carts", "accounts"])
@pytest.mark.parametrize("path", ["order-status", "order-statuses"])
async def test_only_orders_tells_of_orders(
    world: World, things: Things, path: str, caller: str
) -> None:
    operation = BY_NAME[f"accounts POST /users/notify/{path}"]
    good = example(operation, things)
    before = await world.seen()

    answer = await world.client.post(
        good.url, json=good.body, headers=callers.service(caller, "accounts")
    )

    assert answer.status_code == 403
    assert await world.seen() == before


async def test_nobody_registers_as_an_admin(world: World) -> None:
    person = {"full_name": "Алиса", "phone": "+7 999", "password": PASSWORD, "is_admin": True}
    url = "/user-api/users/register"

    claims = [
        await world.client.post(url, json=person | {"username": "mallory"}, headers=headers)
        for headers in ({}, callers.user("owner"), ADMIN_HEADER)
    ]
    made = await world.client.post(
        url, json=person | {"username": "second_boss"}, headers=callers.admin()
    )

    assert [each.json()["code"] for each in claims] == ["admins_only"] * 3
    assert [each.status_code for each in claims] == [403] * 3
    assert await logged_in(world, "mallory") == 401
    assert (made.status_code, made.json()["is_admin"]) == (201, True)


@pytest.mark.parametrize("name", ["admin_x", "ADMIN_x", "Admin_", "aDmIn_0"])
async def test_the_admins_prefix_is_refused_in_any_case(world: World, name: str) -> None:
    person = {"username": name, "full_name": "Алиса", "phone": "+7 999", "password": PASSWORD}

    answer = await world.client.post("/user-api/users/register", json=person)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["username"])
    assert await logged_in(world, name) == 401


@pytest.mark.parametrize("name", ["swagger_admin", "swagger_user"])
async def test_without_demo_mode_there_are_no_demo_users(world: World, name: str) -> None:
    form = {"username": name, "password": "admin123"}

    assert (await world.client.post("/user-api/token", data=form)).status_code == 401


async def test_an_order_is_for_its_owner_and_admins(world: World) -> None:
    order = (await world.things("owner")).order
    url, stranger = f"/order-api/orders/{order}", callers.user("stranger")

    looked = await world.client.get(url, headers=stranger)
    cancelled = await world.client.put(f"{url}/cancel", headers=stranger)
    listed = await world.get("/order-api/orders/", stranger)
    filtered = await world.client.get("/order-api/orders/?user_id=owner", headers=stranger)

    assert [each.status_code for each in (looked, cancelled, filtered)] == [403, 403, 403]
    assert order not in [each["id"] for each in listed]
    assert (await world.get(url))["status"] == "CREATED"


async def test_carts_news_and_views_are_their_owners(world: World) -> None:
    things, stranger = await world.things("owner"), callers.user("stranger")
    await world.empty_cart("stranger")
    line = f"/cart-api/cart/items/{things.line}"

    changed = await world.client.put(line, json={"quantity": 9}, headers=stranger)
    removed = await world.client.delete(line, headers=stranger)
    orders = [each["id"] for each in await world.get("/user-api/users/me/orders", stranger)]
    news = await world.get("/user-api/users/me/notifications", stranger)

    assert (changed.status_code, removed.status_code) == (404, 404)
    assert (await world.get("/cart-api/cart/", stranger))["items"] == []
    assert things.order not in [*orders, *(each["order_id"] for each in news)]
    (kept,) = (await world.get("/cart-api/cart/", callers.user("owner")))["items"]
    assert (kept["id"], kept["quantity"]) == (things.line, 1)


ODD_FIELDS: dict[str, dict[str, Any]] = {
    "catalog POST /products/": {"product_id": "5", "total": 5, "quantity": -5},
    "carts POST /cart/items": {"price": 0.01, "total_price": 0.01, "name": "x", "id": "5"},
    "carts PUT /cart/items/{item_id}": {"price": 0.01, "product_id": "5", "user_id": "boss"},
    "orders POST /orders/": {"id": "5", "user_id": "boss", "status": "DELIVERED", "version": 5},
    "accounts PUT /users/me": {"username": "boss", "is_admin": True, "total_spent": 0, "id": "1"},
    "accounts POST /users/register": {"id": "00000001", "total_spent": -1, "created_at": "x"},
}


@pytest.mark.parametrize("name", ODD_FIELDS)
async def test_fields_that_are_not_the_callers_are_ignored(world: World, name: str) -> None:
    operation, odd = BY_NAME[name], ODD_FIELDS[name]
    good = example(operation, await world.things("owner"))
    caller = callers.admin() if operation.service == "catalog" else callers.user("owner")

    answer = await world.client.request(
        operation.verb, good.url, json=good.body | odd, headers=caller
    )

    data = answer.json()
    assert answer.status_code < 300
    assert not [field for field in odd if field in data and data[field] == odd[field]]
    assert data.get("user_id", "owner") == "owner"


async def logged_in(world: World, name: str) -> int:
    form = {"username": name, "password": PASSWORD}
    return (await world.client.post("/user-api/token", data=form)).status_code
