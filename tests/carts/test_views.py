"""Every call of the carts service over HTTP: who may, what comes back, what is refused."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from django.apps import apps
from django.conf import LazySettings

from carts.apps import CartsConfig
from carts.domain import Product, order_id_for
from store import wire
from store.idempotency import IdempotencyKeys
from tests.carts.peers import (
    FakeCatalog,
    FakeOrders,
    Gate,
    answers,
    refuses_the_connection,
    times_out,
)

Auth = Callable[..., dict[str, str]]
Client = httpx.AsyncClient

JSON = {"Content-Type": "application/json"}
OWN_CALLS = [
    ("GET", "/cart/"),
    ("DELETE", "/cart/"),
    ("POST", "/cart/items"),
    ("PUT", f"/cart/items/{uuid4()}"),
    ("DELETE", f"/cart/items/{uuid4()}"),
    ("POST", "/cart/checkout"),
    ("POST", f"/products/{uuid4()}/view"),
    ("GET", "/products/recent-views"),
]


@pytest.fixture
def alice(carts_alone: Client, auth: Auth) -> Client:
    """The carts service with alice logged in."""
    carts_alone.headers.update(auth("alice"))
    return carts_alone


@pytest.fixture
async def lamp(alice: Client, catalog: FakeCatalog) -> Product:
    """Two of it are in alice's cart."""
    lamp = catalog.has("Лампа", price="99.99", stock_count=10)
    await put_in(alice, lamp, 2)
    return lamp


async def put_in(client: Client, product: Product, quantity: int = 1) -> Any:
    body = {"product_id": str(product.id), "quantity": quantity}
    return data(await client.post("/cart/items", json=body))


def data(answer: httpx.Response, status: int = 200) -> Any:
    """The answer's JSON, numbers with a point as Decimal."""
    assert answer.status_code == status, answer.text
    return wire.decode(answer.content)


def code(answer: httpx.Response, status: int) -> str:
    body = data(answer, status)
    assert isinstance(body["detail"], str)
    return str(body["code"])


async def total(client: Client) -> Decimal:
    return Decimal(data(await client.get("/cart/"))["total"])


# -- Who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), OWN_CALLS)
async def test_what_belongs_to_a_person_is_for_people(
    carts_alone: Client, as_service: Auth, method: str, path: str
) -> None:
    service_alone = as_service("orders", "carts")

    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = await carts_alone.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = await carts_alone.request(method, path, headers=service_alone)
    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), OWN_CALLS)
async def test_the_demo_role_without_a_person_has_no_cart(
    carts_alone: Client, settings: LazySettings, method: str, path: str
) -> None:
    settings.DEMO = True

    answer = await carts_alone.request(method, path, headers={"admin": "true"})

    assert answer.status_code == 401


async def test_a_service_may_ask_for_a_users_cart(
    alice: Client, lamp: Product, as_service: Auth
) -> None:
    headers = as_service("accounts", "carts", user="alice")

    cart = data(await alice.get("/cart/", headers=headers))

    assert cart["total"] == Decimal("199.98")


async def test_users_do_not_see_each_others_carts(alice: Client, lamp: Product, auth: Auth) -> None:
    (item,) = data(await alice.get("/cart/"))["items"]
    bob = auth("bob")

    assert data(await alice.get("/cart/", headers=bob))["items"] == []
    for answer in (
        await alice.put(f"/cart/items/{item['id']}", headers=bob, json={"quantity": 1}),
        await alice.delete(f"/cart/items/{item['id']}", headers=bob),
    ):
        assert code(answer, 404) == "item_not_found"
    assert await total(alice) == Decimal("199.98")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/cart/", {"GET", "DELETE"}),
        ("GET", "/cart/items", {"POST"}),
        ("POST", f"/cart/items/{uuid4()}", {"PUT", "DELETE"}),
        ("GET", "/cart/checkout", {"POST"}),
        ("GET", f"/products/{uuid4()}/view", {"POST"}),
        ("POST", "/products/recent-views", {"GET"}),
        ("POST", "/carts/", {"GET"}),
    ],
)
async def test_a_wrong_verb_is_told_the_right_ones(
    alice: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = await alice.request(method, path)

    assert answer.status_code == 405
    assert allowed <= set(answer.headers["Allow"].split(", ")) <= allowed | {"HEAD", "OPTIONS"}


# -- The cart ---------------------------------------------------------------------------------


async def test_a_new_cart_is_empty(alice: Client) -> None:
    assert data(await alice.get("/cart/")) == {"items": [], "total": 0}


async def test_an_added_item_is_shown_with_its_total(alice: Client, catalog: FakeCatalog) -> None:
    lamp = catalog.has("Лампа", price="99.99")

    item = await put_in(alice, lamp, 3)

    assert item == {
        "id": item["id"],
        "product_id": str(lamp.id),
        "name": "Лампа",
        "price": Decimal("99.99"),
        "quantity": 3,
        "total_price": Decimal("299.97"),
    }
    cart = await alice.get("/cart/")
    assert data(cart) == {"items": [item], "total": Decimal("299.97")}
    assert "Лампа" in cart.text
    assert '"total":299.97' in cart.text


async def test_adding_again_raises_the_line(alice: Client, lamp: Product) -> None:
    assert (await put_in(alice, lamp, 3))["quantity"] == 5


async def test_a_form_may_spell_its_numbers(alice: Client, catalog: FakeCatalog) -> None:
    form = {"product_id": str(catalog.has().id), "quantity": "2"}

    assert data(await alice.post("/cart/items", data=form))["quantity"] == 2


async def test_adding_beyond_the_stock_is_refused(alice: Client, lamp: Product) -> None:
    body = {"product_id": str(lamp.id), "quantity": 9}

    answer = await alice.post("/cart/items", json=body)

    assert code(answer, 400) == "insufficient_stock"
    assert data(answer, 400)["errors"] == {"quantity": ["Only 10 in stock."]}
    assert await total(alice) == Decimal("199.98")


async def test_an_unknown_product_is_not_found(alice: Client) -> None:
    body = {"product_id": str(uuid4()), "quantity": 1}

    assert code(await alice.post("/cart/items", json=body), 404) == "product_not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(
            ({"product_id": str(uuid4()), "quantity": quantity}, "quantity")
            for quantity in (0, -1, 1.5, 1001, 10**9, 10**30, "1", True, None, [1])
        ),
        *(
            ({"product_id": product_id, "quantity": 1}, "product_id")
            for product_id in (5, True, "5", "urn:uuid:" + str(uuid4()), None, uuid4().hex)
        ),
        ({"product_id": str(uuid4())}, "quantity"),
        ({"quantity": 1}, "product_id"),
        ({}, "product_id"),
    ],
)
async def test_a_malformed_item_is_refused_by_field(
    alice: Client, catalog: FakeCatalog, body: object, field: str
) -> None:
    answer = await alice.post("/cart/items", json=body)

    assert field in data(answer, 400)["errors"]
    assert catalog.asked == 0


async def test_unknown_fields_are_ignored_the_price_among_them(
    alice: Client, catalog: FakeCatalog
) -> None:
    lamp = catalog.has(price="99.99")
    body = {"product_id": str(lamp.id), "quantity": 1, "price": 0.01, "name": "Cheap"}

    item = data(await alice.post("/cart/items", json=body))

    assert (item["name"], item["price"]) == ("Лампа", Decimal("99.99"))


async def test_a_quantity_is_changed_by_either_id(alice: Client, lamp: Product) -> None:
    (item,) = data(await alice.get("/cart/"))["items"]

    for number, item_id in enumerate([item["id"], lamp.id], start=5):
        answer = await alice.put(f"/cart/items/{item_id}", json={"quantity": number})
        assert (data(answer)["id"], data(answer)["quantity"]) == (item["id"], number)


async def test_a_changed_quantity_is_checked(alice: Client, lamp: Product) -> None:
    path = f"/cart/items/{lamp.id}"

    assert code(await alice.put(path, json={"quantity": 11}), 400) == "insufficient_stock"
    assert code(await alice.put(path, json={"quantity": 0}), 400) == "invalid"
    assert code(await alice.put(path, json={}), 400) == "invalid"
    missing = await alice.put(f"/cart/items/{uuid4()}", json={"quantity": 1})
    assert code(missing, 404) == "item_not_found"


async def test_an_item_is_removed_by_either_id(
    alice: Client, lamp: Product, catalog: FakeCatalog
) -> None:
    other = await put_in(alice, catalog.has())

    for item_id in (lamp.id, other["id"]):
        assert "message" in data(await alice.delete(f"/cart/items/{item_id}"))
        assert code(await alice.delete(f"/cart/items/{item_id}"), 404) == "item_not_found"
    assert await total(alice) == 0


@pytest.mark.parametrize("item_id", ["5", "not-a-uuid", "%00", str(uuid4()).upper() + "x"])
async def test_an_item_id_that_is_no_uuid_is_not_found(alice: Client, item_id: str) -> None:
    assert code(await alice.delete(f"/cart/items/{item_id}"), 404) == "not_found"


async def test_a_cart_is_emptied_at_once_and_again(alice: Client, lamp: Product) -> None:
    for _ in range(2):
        assert "message" in data(await alice.delete("/cart/"))
    assert await total(alice) == 0


async def test_while_the_catalog_is_away_only_what_needs_it_is_refused(
    alice: Client, lamp: Product, catalog: FakeCatalog
) -> None:
    catalog.behaviour = refuses_the_connection
    item = {"product_id": str(lamp.id), "quantity": 1}

    for answer in (
        await alice.post("/cart/items", json=item),
        await alice.put(f"/cart/items/{lamp.id}", json={"quantity": 1}),
        await alice.post(f"/products/{lamp.id}/view"),
    ):
        assert code(answer, 503) == "service_unavailable"
        assert int(answer.headers["Retry-After"]) > 0
    for answer in (
        await alice.get("/cart/"),
        await alice.get("/products/recent-views"),
        await alice.delete(f"/cart/items/{lamp.id}"),
        await alice.delete("/cart/"),
    ):
        data(answer)


# -- The checkout -----------------------------------------------------------------------------


async def test_a_checkout_answers_the_order_and_empties_the_cart(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    order = data(await alice.post("/cart/checkout"))

    assert order == orders.orders[order["id"]]
    assert data(await alice.get("/cart/")) == {"items": [], "total": 0}
    assert code(await alice.post("/cart/checkout"), 400) == "empty_cart"


@pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
async def test_a_checkout_needs_no_body(alice: Client, lamp: Product, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    data(await alice.post("/cart/checkout", content=body, headers=headers))


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"total": 1}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"1", "application/json", 400),
        (b"{", "application/json", 400),
        (b"total=1", "application/x-www-form-urlencoded", 400),
        (b"<cart/>", "application/xml", 415),
    ],
)
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k1"}])
async def test_any_other_body_of_a_checkout_is_refused(
    alice: Client, lamp: Product, body: bytes, kind: str, status: int, key: dict[str, str]
) -> None:
    headers = {"Content-Type": kind} | key

    answer = await alice.post("/cart/checkout", content=body, headers=headers)

    assert answer.status_code == status
    assert await total(alice) == Decimal("199.98")


async def test_orders_refusal_is_passed_on(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    prices = {str(lamp.id): Decimal("120.5")}
    body = {"detail": "Prices changed.", "code": "price_changed", "prices": prices}
    orders.script.append(answers(409, body))

    assert data(await alice.post("/cart/checkout"), 409) == body
    assert await total(alice) == 241


async def test_while_orders_is_away_nobody_checks_out_and_the_cart_stays(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    orders.script.append(refuses_the_connection)

    answer = await alice.post("/cart/checkout")

    assert code(answer, 503) == "service_unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert await total(alice) == Decimal("199.98")


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k1"}])
async def test_a_checkout_that_takes_too_long_says_so_and_the_next_joins_it(
    alice: Client, lamp: Product, orders: FakeOrders, key: dict[str, str]
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    answer = await alice.post("/cart/checkout", headers=key)
    again = asyncio.create_task(alice.post("/cart/checkout", headers=key))
    await asyncio.sleep(0.05)
    gate.open()

    assert code(answer, 503) == "checkout_running"
    assert int(answer.headers["Retry-After"]) > 0
    assert {data(await again)["id"]} == set(orders.orders)


async def test_nobody_waits_longer_for_a_key_than_for_a_checkout(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    orders.script.append(Gate(orders.accept))
    key = {"Idempotency-Key": "k1"}

    async with asyncio.timeout(2):
        waiting = [alice.post("/cart/checkout", headers=key) for _ in range(20)]
        answered = await asyncio.gather(*waiting)

    assert {answer.status_code for answer in answered} == {503}


# -- The key ----------------------------------------------------------------------------------


async def checkout(client: Client, key: str | bytes, **request: Any) -> httpx.Response:
    headers = request.pop("headers", {}) | {"Idempotency-Key": key}
    return await client.post("/cart/checkout", headers=headers, **request)


async def test_a_key_is_answered_again_with_its_order_and_the_new_cart_stays(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    first = await checkout(alice, "k1")
    await put_in(alice, lamp, 1)

    again = await checkout(alice, '"k1"')

    assert data(again) == data(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await total(alice) == Decimal("99.99")


async def test_a_key_is_answered_again_with_its_conflict(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    body = {"detail": "Sold out.", "code": "insufficient_stock", "errors": {"lamp": ["0 left."]}}
    orders.script.append(answers(409, body))
    first = await checkout(alice, "k1")

    again = await checkout(alice, "k1")

    assert data(first, 409) == data(again, 409) == body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert data(await checkout(alice, "k2"))["id"] == str(order_id_for("alice", "k2"))


async def test_a_key_with_another_body_is_refused_before_the_body_is_judged(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    data(await checkout(alice, "k1"))

    for body in ({"total": 1}, {"total": 10**30}, [1]):
        answer = await checkout(alice, "k1", content=json.dumps(body), headers=JSON)
        assert code(answer, 422) == "idempotency_key_reused"
    data(await checkout(alice, "k1", content=b"{}", headers=JSON))


@pytest.mark.parametrize("body", [{"total": 10**30}, {"note": "\ud800"}])
async def test_an_odd_body_under_a_new_key_is_refused(
    alice: Client, lamp: Product, body: object
) -> None:
    answer = await checkout(alice, "k1", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 400


async def test_answers_that_are_not_definite_are_not_kept(
    alice: Client, catalog: FakeCatalog, orders: FakeOrders
) -> None:
    assert code(await checkout(alice, "k1"), 400) == "empty_cart"
    assert (await checkout(alice, "k1", json={"total": 1})).status_code == 400
    await put_in(alice, catalog.has())
    orders.script.append(refuses_the_connection)
    assert (await checkout(alice, "k1")).status_code == 503

    answer = await checkout(alice, "k1")

    assert data(answer)["id"] == str(order_id_for("alice", "k1"))
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", [b"", b" ", "ключ".encode(), b"a b", b"x" * 256])
async def test_a_malformed_key_is_refused(alice: Client, lamp: Product, key: bytes) -> None:
    assert code(await checkout(alice, key), 400) == "bad_idempotency_key"
    assert await total(alice) == Decimal("199.98")


async def test_users_keys_do_not_meet(
    alice: Client, lamp: Product, auth: Auth, catalog: FakeCatalog
) -> None:
    bob = auth("bob")
    body = {"product_id": str(lamp.id), "quantity": 1}
    data(await alice.post("/cart/items", json=body, headers=bob))

    first = data(await checkout(alice, "k1"))
    second = data(await checkout(alice, "k1", headers=bob))

    assert (first["user_id"], second["user_id"]) == ("alice", "bob")
    assert first["id"] != second["id"]


async def test_two_keys_at_once_are_one_order_remembered_under_both(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    both = [asyncio.create_task(checkout(alice, key)) for key in ("k1", "k2")]
    await gate.reached.wait()
    gate.open()
    first, second = [data(answer) for answer in await asyncio.gather(*both)]
    await put_in(alice, lamp, 1)

    assert first == second
    for key in ("k1", "k2"):
        replay = await checkout(alice, key)
        assert data(replay) == first
        assert replay.headers["Idempotent-Replayed"] == "true"
    assert len(orders.orders) == 1


async def test_fifty_clicks_with_one_key_are_one_order(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    answered = await asyncio.gather(*(checkout(alice, "k1") for _ in range(50)))

    assert {data(answer)["id"] for answer in answered} == set(orders.orders)
    assert len(orders.attempts) == 1


async def test_fifty_clicks_without_a_key_are_one_order(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    clicks = [alice.post("/cart/checkout") for _ in range(50)]

    answered = await asyncio.gather(*clicks)

    assert {answer.status_code for answer in answered} <= {200, 400}
    made = [data(answer)["id"] for answer in answered if answer.status_code == 200]
    assert set(made) == set(orders.orders)
    assert len(orders.orders) == 1


async def test_a_key_after_a_restart_that_forgot_everything_finds_its_order(
    alice: Client, lamp: Product, orders: FakeOrders
) -> None:
    order = data(await checkout(alice, "k1"))

    cast(CartsConfig, apps.get_app_config("carts")).keys = IdempotencyKeys()

    assert data(await checkout(alice, "k1")) == order


# -- Views and the admin's list ---------------------------------------------------------------


async def test_views_are_listed_newest_first_and_each_product_once(
    alice: Client, catalog: FakeCatalog
) -> None:
    first, second = catalog.has(), catalog.has()
    for product in (first, second, first):
        assert "message" in data(await alice.post(f"/products/{product.id}/view"))

    views = data(await alice.get("/products/recent-views"))

    assert [view["product_id"] for view in views] == [str(first.id), str(second.id)]
    assert all(view["viewed_at"].endswith("Z") for view in views)


async def test_a_view_of_an_unknown_product_is_not_found(alice: Client) -> None:
    assert code(await alice.post(f"/products/{uuid4()}/view"), 404) == "product_not_found"
    assert code(await alice.post("/products/5/view"), 404) == "not_found"


async def test_all_carts_are_for_admins(alice: Client, auth: Auth, lamp: Product) -> None:
    assert (await alice.get("/carts/")).status_code == 403
    assert (await alice.get("/carts/", headers={"Authorization": ""})).status_code == 401
    assert (await alice.get("/carts/", headers={"admin": "true"})).status_code == 403
    data(await alice.get("/carts/", headers=auth("boss", admin=True)))


async def test_all_carts_are_open_to_the_demo_role(
    carts_alone: Client, settings: LazySettings
) -> None:
    settings.DEMO = True

    page = data(await carts_alone.get("/carts/", headers={"admin": "true"}))

    assert page == {"items": [], "next_cursor": None}


async def test_an_admin_pages_through_the_carts_by_user(
    alice: Client, lamp: Product, auth: Auth
) -> None:
    body = {"product_id": str(lamp.id), "quantity": 1}
    for user in ("carol", "bob"):
        data(await alice.post("/cart/items", json=body, headers=auth(user)))
    alice.headers.update(auth("boss", admin=True))

    first = data(await alice.get("/carts/", params={"limit": 2}))
    second = data(await alice.get("/carts/", params={"limit": 2, "cursor": first["next_cursor"]}))

    assert [cart["user_id"] for cart in first["items"]] == ["alice", "bob"]
    assert [cart["user_id"] for cart in second["items"]] == ["carol"]
    assert second["next_cursor"] is None
    assert first["items"][0]["total"] == Decimal("199.98")
    assert first["items"][0]["items"][0]["name"] == "Лампа"


async def test_an_admin_finds_one_users_cart(alice: Client, lamp: Product, auth: Auth) -> None:
    alice.headers.update(auth("boss", admin=True))

    found = data(await alice.get("/carts/", params={"user_id": "alice"}))
    nothing = data(await alice.get("/carts/", params={"user_id": "bob"}))

    assert [cart["user_id"] for cart in found["items"]] == ["alice"]
    assert nothing == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=AAAA", "user_id=%00"],
)
async def test_a_malformed_query_is_refused(carts_alone: Client, auth: Auth, query: str) -> None:
    answer = await carts_alone.get(f"/carts/?{query}", headers=auth("boss", admin=True))

    assert answer.status_code == 400


async def test_a_cursor_of_another_list_is_refused(
    alice: Client, lamp: Product, auth: Auth
) -> None:
    body = {"product_id": str(lamp.id), "quantity": 1}
    data(await alice.post("/cart/items", json=body, headers=auth("bob")))
    alice.headers.update(auth("boss", admin=True))
    page = data(await alice.get("/carts/", params={"limit": 1}))

    query = {"user_id": "alice", "cursor": page["next_cursor"]}

    assert code(await alice.get("/carts/", params=query), 400) == "bad_cursor"


async def test_the_metrics_are_exposed(alice: Client, lamp: Product, orders: FakeOrders) -> None:
    orders.script.append(times_out)
    data(await alice.post("/cart/checkout"))

    text = (await alice.get("/metrics")).text

    assert 'items_added_to_cart_total{product_name="Лампа"}' in text
    for name in ("cart_value_cents_bucket", "cart_items_count_bucket", "checkouts_total"):
        assert name in text


async def test_the_api_describes_itself(carts_alone: Client) -> None:
    document = data(await carts_alone.get("/openapi.json", headers={"Accept": "application/json"}))

    paths = set(document["paths"])
    assert {"/cart/", "/cart/items", "/cart/checkout", "/carts/"} <= paths
