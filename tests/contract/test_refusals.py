"""Each refusal that the contract names: status, machine word, and what comes with it."""

from uuid import uuid4

import httpx
import pytest

from tests.contract import callers
from tests.contract.rules import decoded
from tests.contract.world import PASSWORD, PRICE, World, order_of, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"MAX_OPEN_ORDERS_PER_USER": 5}
BOSS = callers.admin()
ALICE = callers.user("owner")
NOWHERE = str(uuid4())


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("min_price=2&max_price=1", "min_price"),
        ("min_price=-1", "min_price"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("sort_by=stock", "sort_by"),
        ("cursor=abc&skip=1", "skip"),
    ],
)
async def test_a_bad_question_names_its_parameter(world: World, query: str, field: str) -> None:
    for address in ("/api/products/", "/api/products/by-category/Чай"):
        answer = await world.client.get(f"{address}?{query}", headers=BOSS)

        assert said(answer) == (400, "invalid")
        assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize(
    "address",
    ["/api/products/?cursor=abc", "/cart-api/carts/?cursor=YWJj", "/order-api/orders/?cursor=%2B"],
)
async def test_a_made_up_cursor_is_refused(world: World, address: str) -> None:
    assert said(await world.client.get(address, headers=BOSS)) == (400, "bad_cursor")


async def test_users_choose_a_category(world: World) -> None:
    answer = await world.client.get("/api/products/", headers=ALICE)

    assert said(answer) == (403, "category_required")


async def test_a_hold_is_refused_for_what_is_short_gone_or_over(world: World) -> None:
    short, gone, plenty = [await world.product(stock=stock) for stock in (2, 9, 9)]
    await world.ok("DELETE", f"/api/products/{gone}", headers=BOSS)
    orders = callers.service("orders", "catalog")

    async def hold(order: str, product: str, quantity: int) -> httpx.Response:
        items = [{"product_id": product, "quantity": quantity}]
        body = {"user_id": "owner", "items": items}
        return await world.client.put(f"/api/reservations/{order}", json=body, headers=orders)

    first = str(uuid4())
    await hold(first, plenty, 1)
    await world.ok("DELETE", f"/api/reservations/{first}", headers=orders)

    too_many = await hold(str(uuid4()), short, 3)
    assert said(too_many) == (409, "insufficient_stock")
    assert list(too_many.json()["errors"]) == [short]
    assert said(await hold(str(uuid4()), gone, 1)) == (409, "product_unavailable")
    assert said(await hold(first, plenty, 1)) == (409, "reservation_closed")


async def test_a_cart_refuses_what_is_not_there_or_too_much(world: World, buyer: str) -> None:
    product, headers = await world.product(stock=2000), callers.user(buyer)
    short = await world.product(stock=3)

    async def add(item: str, quantity: int) -> httpx.Response:
        body = {"product_id": item, "quantity": quantity}
        return await world.client.post("/cart-api/cart/items", json=body, headers=headers)

    assert said(await add(NOWHERE, 1)) == (404, "product_not_found")
    assert said(await add(short, 4)) == (400, "insufficient_stock")
    assert said(await add(product, 1001)) == (400, "invalid")
    assert (await add(product, 1000)).status_code == 200
    assert (await add(product, 1)).status_code == 400
    assert (await add(short, 3)).status_code == 200
    assert said(await add(short, 1)) == (400, "insufficient_stock")
    change = {"json": {"quantity": 4}, "headers": headers}
    assert said(await world.client.put(f"/cart-api/cart/items/{short}", **change)) == (
        400,
        "insufficient_stock",
    )


async def test_a_checkout_is_refused_with_its_reason_and_the_cart_stays(
    world: World, buyer: str
) -> None:
    headers = callers.user(buyer)
    product = await world.product(stock=5)

    async def check_out() -> httpx.Response:
        return await world.client.post("/cart-api/cart/checkout", headers=headers)

    assert said(await check_out()) == (400, "empty_cart")
    await world.add(product, 5, to=buyer)
    await world.ok("PUT", f"/api/products/{product}", json={"price": 12.34}, headers=BOSS)
    assert said(await check_out()) == (409, "price_changed")
    assert (await world.get("/cart-api/cart/", headers))["total"] == 61.7
    await world.ok("PUT", f"/api/products/{product}", json={"stock_count": 4}, headers=BOSS)
    assert said(await check_out()) == (409, "insufficient_stock")
    await world.ok("DELETE", f"/api/products/{product}", headers=BOSS)
    assert said(await check_out()) == (409, "product_unavailable")
    assert len((await world.get("/cart-api/cart/", headers))["items"]) == 1


async def test_an_order_is_refused_with_its_reason(world: World, buyer: str) -> None:
    product, gone = await world.product(stock=10), await world.product()
    await world.ok("DELETE", f"/api/products/{gone}", headers=BOSS)

    async def order(body: object) -> httpx.Response:
        return await world.client.post("/order-api/orders/", json=body, headers=callers.user(buyer))

    assert said(await order(order_of(product) | {"total": 0.01})) == (400, "total_mismatch")
    dearer = await order(order_of(product, price=0.01))
    assert said(dearer) == (409, "price_changed")
    assert decoded(dearer)["prices"] == {product: PRICE}
    assert said(await order(order_of(product, 11))) == (409, "insufficient_stock")
    assert said(await order(order_of(gone))) == (409, "product_unavailable")
    assert await world.get("/order-api/orders/", callers.user(buyer)) == []


async def test_too_many_open_orders_are_refused_until_one_is_over(world: World, buyer: str) -> None:
    product = await world.product()
    orders = [await world.order(product, of=buyer) for _ in range(5)]
    url, headers = "/order-api/orders/", callers.user(buyer)

    refused = await world.client.post(url, json=order_of(product), headers=headers)
    await world.ok("PUT", f"{url}{orders[0]['id']}/cancel", headers=headers)
    accepted = await world.client.post(url, json=order_of(product), headers=headers)

    assert said(refused) == (409, "too_many_open_orders")
    assert accepted.status_code == 201


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", {}, 400),
        ("", {"status": "SENT"}, 400),
        ("?status=sent", {}, 400),
        ("?status=PROCESSING", {"status": "CANCELLED"}, 400),
        ("", {"status": "CREATED"}, 409),
        ("", {"status": "SHIPPING"}, 409),
        ("?status=DELIVERED", {}, 409),
        ("?status=PROCESSING", {"status": "PROCESSING"}, 200),
    ],
)
async def test_a_status_is_the_next_one_and_said_once(
    world: World, buyer: str, query: str, body: object, status: int
) -> None:
    order = await world.order(await world.product(), of=buyer)
    url = f"/order-api/orders/{order['id']}"

    answer = await world.client.put(f"{url}/status{query}", json=body, headers=BOSS)

    assert answer.status_code == status, answer.text
    expected = "PROCESSING" if status == 200 else "CREATED"
    assert (await world.get(url))["status"] == expected


async def test_who_may_cancel_depends_on_how_far_the_order_is(world: World, buyer: str) -> None:
    product = await world.product(stock=10)
    order = await world.order(product, of=buyer)
    url = f"/order-api/orders/{order['id']}"
    for status in ("PROCESSING", "SHIPPING"):
        await world.ok("PUT", f"{url}/status", json={"status": status}, headers=BOSS)

    by_owner = await world.client.put(f"{url}/cancel", headers=callers.user(buyer))
    by_admin = await world.client.put(f"{url}/cancel", headers=BOSS)
    again = await world.client.put(f"{url}/cancel", headers=BOSS)
    await world.settle()

    assert said(by_owner) == (403, "cancellation_forbidden")
    assert by_admin.json()["order"]["status"] == "CANCELLED"
    assert said(again) == (409, "illegal_transition")
    assert (await world.get(f"/api/products/{product}"))["stock_count"] == 10


async def test_a_delivered_order_stays_delivered(world: World, buyer: str) -> None:
    order = await world.order(await world.product(), of=buyer)
    url = f"/order-api/orders/{order['id']}"
    for status in ("PROCESSING", "SHIPPING", "DELIVERED"):
        await world.ok("PUT", f"{url}/status", json={"status": status}, headers=BOSS)

    cancelled = await world.client.put(f"{url}/cancel", headers=BOSS)
    set_back = await world.client.put(f"{url}/status", json={"status": "CREATED"}, headers=BOSS)

    assert (cancelled.status_code, set_back.status_code) == (409, 409)


async def test_a_name_is_taken_in_any_case(world: World, buyer: str) -> None:
    person = {"full_name": "Алиса", "phone": "+7 999", "password": PASSWORD}
    body = person | {"username": buyer.upper()}

    answer = await world.client.post("/user-api/users/register", json=body)

    assert said(answer) == (400, "username_taken")


async def test_the_eleventh_guess_has_to_wait_whatever_it_is(world: World, buyer: str) -> None:
    async def guess(password: str) -> httpx.Response:
        form = {"username": buyer, "password": password}
        return await world.client.post("/user-api/token", data=form)

    wrong = [said(await guess(f"wrong {number}")) for number in range(10)]
    malformed = await world.client.post("/user-api/token", data={"username": buyer})
    late = await guess(PASSWORD)

    assert wrong == [(401, "wrong_credentials")] * 10
    assert malformed.status_code == 400
    assert said(late) == (429, "too_many_guesses")
    assert 0 < int(late.headers["Retry-After"]) <= 300


async def test_a_token_of_somebody_unknown_is_401_at_accounts(world: World) -> None:
    for address in ("/users/me", "/users/me/profile", "/users/me/cart", "/users/me/notifications"):
        answer = await world.client.get(f"/user-api{address}", headers=callers.user("nobody_here"))

        assert said(answer) == (401, "unknown_user")


async def test_errors_of_other_services_pass_through(world: World, buyer: str) -> None:
    headers = callers.user(buyer)

    empty = await world.client.post("/user-api/users/me/orders", headers=headers)
    odd = await world.client.get("/user-api/users/me/orders?status=SENT", headers=headers)

    assert said(empty) == (400, "empty_cart")
    assert (said(odd), list(odd.json()["errors"])) == ((400, "invalid"), ["status"])
