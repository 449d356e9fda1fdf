"""Orders over HTTP, inside the whole shop."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.conf import LazySettings

Headers = dict[str, str]
Auth = Callable[..., Headers]
Buy = Callable[..., Awaitable[dict[str, Any]]]

URL = "/order-api/orders/"
STATUSES = ["CREATED", "PROCESSING", "SHIPPING", "DELIVERED", "CANCELLED"]


@pytest.fixture
async def kettle(shop: httpx.AsyncClient, auth: Auth) -> str:
    product = {"name": "Чайник", "category": "Кухня", "price": 99.99, "stock_count": 50}
    answer = await shop.post("/api/products/", json=product, headers=auth("boss", admin=True))
    return str(answer.json()["product_id"])


@pytest.fixture
def buy(shop: httpx.AsyncClient, auth: Auth, kettle: str) -> Buy:
    async def buy(user: str = "alice", quantity: int = 1) -> dict[str, Any]:
        answer = await shop.post(URL, json=purchase(kettle, quantity), headers=auth(user))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return buy


def purchase(
    product: str, quantity: int = 1, price: float = 99.99, **more: object
) -> dict[str, Any]:
    items = [{"product_id": product, "quantity": quantity, "price": price}]
    return {"items": items, "total": round(price * quantity, 2), **more}


async def stock(shop: httpx.AsyncClient, auth: Auth, product: str) -> int:
    answer = await shop.get(f"/api/products/{product}", headers=auth("boss", admin=True))
    return int(answer.json()["stock_count"])


async def set_status(
    shop: httpx.AsyncClient, auth: Auth, order: dict[str, Any], status: str
) -> httpx.Response:
    headers = auth("boss", admin=True)
    return await shop.put(f"{URL}{order['id']}/status", json={"status": status}, headers=headers)


async def test_an_order_as_the_contract_shows_it(
    shop: httpx.AsyncClient, auth: Auth, kettle: str
) -> None:
    answer = await shop.post(URL, json=purchase(kettle, 3), headers=auth("alice"))
    assert answer.status_code == 201
    order = answer.json()
    assert list(order) == [
        *("id", "user_id", "items", "total", "status", "created_at", "updated_at")
    ]
    assert order["items"] == [
        {"product_id": kettle, "name": "Чайник", "price": 99.99, "quantity": 3}
    ]
    assert (order["user_id"], order["total"], order["status"]) == ("alice", 299.97, "CREATED")
    assert order["created_at"] == order["updated_at"]
    assert order["created_at"].endswith("Z")
    assert UUID(order["id"])
    assert await stock(shop, auth, kettle) == 47


async def test_the_order_can_be_read_again(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    order = await buy()
    for headers in (auth("alice"), auth("boss", admin=True)):
        assert (await shop.get(URL + order["id"], headers=headers)).json() == order


async def test_who_may_read_an_order(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    order = await buy()
    assert (await shop.get(URL + order["id"], headers=auth("bob"))).status_code == 403
    assert (await shop.get(URL + order["id"])).status_code == 401
    assert (await shop.get(URL + str(uuid4()), headers=auth("bob"))).status_code == 404
    assert (await shop.get(URL + "5", headers=auth("bob"))).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": None},
        {"items": "x"},
        {"items": [5]},
        {"total": "99.99"},
        {"total": None},
        {"total": 99.999},
        {"total": 0},
        {"items": [{"product_id": "5", "quantity": 1, "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 0, "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1001, "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": True, "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1.5, "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": "1", "price": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1, "price": "1"}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1, "price": 0}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1, "price": -1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1}]},
        {"items": [{"product_id": str(uuid4()), "quantity": 1, "price": 1}] * 101},
    ],
)
async def test_what_makes_no_sense_is_refused(
    shop: httpx.AsyncClient, auth: Auth, kettle: str, change: dict[str, Any]
) -> None:
    answer = await shop.post(URL, json=purchase(kettle) | change, headers=auth("alice"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"]
    assert await stock(shop, auth, kettle) == 50


async def test_a_product_twice_and_a_wrong_total(
    shop: httpx.AsyncClient, auth: Auth, kettle: str
) -> None:
    item = purchase(kettle)["items"][0]
    twice = {"items": [item, item], "total": 199.98}
    answer = await shop.post(URL, json=twice, headers=auth("alice"))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["items"])
    answer = await shop.post(URL, json=purchase(kettle, total=1), headers=auth("alice"))
    assert (answer.status_code, answer.json()["code"]) == (400, "total_mismatch")


async def test_the_conflicts_of_placing(shop: httpx.AsyncClient, auth: Auth, kettle: str) -> None:
    cheap = await shop.post(URL, json=purchase(kettle, price=1), headers=auth("alice"))
    assert (cheap.status_code, cheap.json()["code"]) == (409, "price_changed")
    assert cheap.json()["prices"] == {kettle: 99.99}
    assert cheap.json()["errors"] == {kettle: ["The price is now 99.99."]}
    many = await shop.post(URL, json=purchase(kettle, 51), headers=auth("alice"))
    assert (many.status_code, many.json()["code"]) == (409, "insufficient_stock")
    assert many.json()["available"] == {kettle: 50}
    gone = await shop.post(URL, json=purchase(str(uuid4())), headers=auth("alice"))
    assert (gone.status_code, gone.json()["code"]) == (409, "product_unavailable")
    assert await stock(shop, auth, kettle) == 50


async def test_orders_belong_to_a_person(
    demo: None, shop: httpx.AsyncClient, as_service: Auth, kettle: str
) -> None:
    body = purchase(kettle)
    assert (await shop.post(URL, json=body)).status_code == 401
    assert (await shop.post(URL, json=body, headers={"admin": "true"})).status_code == 401
    nobody = as_service("carts", "orders")
    assert (await shop.post(URL, json=body, headers=nobody)).status_code == 403


async def test_a_service_names_the_order_and_asks_as_often_as_it_likes(
    shop: httpx.AsyncClient, as_service: Auth, auth: Auth, kettle: str
) -> None:
    headers = as_service("carts", "orders", user="alice")
    until = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    body = purchase(kettle, id=str(uuid4()), valid_until=until)
    answers = await asyncio.gather(*(shop.post(URL, json=body, headers=headers) for _ in range(9)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["id"] for answer in answers} == {body["id"]}
    assert (await shop.post(URL, json=body, headers=headers)).status_code == 200
    assert await stock(shop, auth, kettle) == 49


async def test_a_service_that_comes_too_late_is_refused_for_good(
    shop: httpx.AsyncClient, as_service: Auth, kettle: str
) -> None:
    headers = as_service("carts", "orders", user="alice")
    body = purchase(kettle, id=str(uuid4()), valid_until="2020-01-01T00:00:00Z")
    for _ in range(2):
        answer = await shop.post(URL, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "order_expired")


async def test_a_user_does_not_choose_the_id(
    shop: httpx.AsyncClient, auth: Auth, kettle: str, buy: Buy
) -> None:
    other = await buy("bob")
    for wish in (other["id"], "not even a UUID"):
        body = purchase(kettle, id=wish, valid_until="2020-01-01T00:00:00Z")
        answer = await shop.post(URL, json=body, headers=auth("alice"))
        assert answer.status_code == 201
        assert answer.json()["id"] != wish


async def test_a_key_makes_one_order(shop: httpx.AsyncClient, auth: Auth, kettle: str) -> None:
    headers = auth("alice") | {"Idempotency-Key": '"a-key"'}
    first = await shop.post(URL, json=purchase(kettle), headers=headers)
    again = await shop.post(URL, json=purchase(kettle), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await shop.post(URL, json=purchase(kettle, 2), headers=headers)
    assert other.status_code == 422
    bobs = auth("bob") | {"Idempotency-Key": '"a-key"'}
    assert (await shop.post(URL, json=purchase(kettle), headers=bobs)).json() != first.json()
    assert await stock(shop, auth, kettle) == 48


async def test_a_conflict_is_replayed_and_a_bad_key_refused(
    shop: httpx.AsyncClient, auth: Auth, kettle: str
) -> None:
    headers = auth("alice") | {"Idempotency-Key": "k"}
    first = await shop.post(URL, json=purchase(kettle, 51), headers=headers)
    again = await shop.post(URL, json=purchase(kettle, 51), headers=headers)
    assert (first.status_code, again.status_code) == (409, 409)
    assert again.headers["Idempotent-Replayed"] == "true"
    bad = auth("alice") | {"Idempotency-Key": "k" * 256}
    assert (await shop.post(URL, json=purchase(kettle), headers=bad)).status_code == 400


@pytest.fixture
def one_open_order(settings: LazySettings) -> None:
    settings.MAX_OPEN_ORDERS_PER_USER = 1


async def test_the_cap_on_open_orders(
    one_open_order: None, shop: httpx.AsyncClient, auth: Auth, buy: Buy, kettle: str
) -> None:
    order = await buy()
    answer = await shop.post(URL, json=purchase(kettle), headers=auth("alice"))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_open_orders")
    await shop.put(f"{URL}{order['id']}/cancel", headers=auth("alice"))
    await buy()


async def test_a_user_lists_his_own_newest_first(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    first, _, third = await buy(), await buy("bob"), await buy()
    answer = await shop.get(URL, headers=auth("alice"))
    assert answer.json() == [third, first]
    assert "Link" not in answer.headers


async def test_an_admin_lists_everybodys_with_filters(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    mine, his = await buy(), await buy("bob")
    await shop.put(f"{URL}{mine['id']}/cancel", headers=auth("alice"))
    headers = auth("boss", admin=True)

    async def ids(query: str) -> list[str]:
        return [order["id"] for order in (await shop.get(URL + query, headers=headers)).json()]

    assert await ids("") == [his["id"], mine["id"]]
    assert await ids("?user_id=bob") == [his["id"]]
    assert await ids("?status=CANCELLED") == [mine["id"]]
    assert await ids("?status=CANCELLED&user_id=bob") == []


async def test_a_user_filters_his_own_only(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    order = await buy()

    async def get(query: str) -> httpx.Response:
        return await shop.get(URL + query, headers=auth("alice"))

    assert (await get("?user_id=alice&status=CREATED")).json() == [order]
    assert (await get("?status=SHIPPING")).json() == []
    assert (await get("?user_id=bob")).status_code == 403


async def test_a_service_sees_what_its_user_sees(
    shop: httpx.AsyncClient, auth: Auth, as_service: Auth, buy: Buy
) -> None:
    mine, _ = await buy(), await buy("bob")
    answer = await shop.get(URL, headers=as_service("accounts", "orders", user="alice"))
    assert answer.json() == [mine]


async def test_pages_follow_each_other_by_their_links(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    made = [(await buy())["id"] for _ in range(5)]
    await buy("bob")
    seen, url = [], httpx.URL(f"http://shop{URL}?limit=2&status=CREATED")
    while True:
        answer = await shop.get(url, headers=auth("alice"))
        seen += [order["id"] for order in answer.json()]
        if "next" not in answer.links:
            break
        url = url.join(answer.links["next"]["url"])
        assert (url.path, url.params["limit"], url.params["status"]) == (URL, "2", "CREATED")
    assert seen == made[::-1]


async def test_a_cursor_belongs_to_its_list(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    for _ in range(2):
        await buy()
    link = (await shop.get(URL + "?limit=1", headers=auth("alice"))).links["next"]["url"]
    cursor = httpx.URL("http://shop/").join(link).params["cursor"]
    for query, headers in [
        (f"?cursor={cursor}", auth("bob")),
        (f"?cursor={cursor}", auth("boss", admin=True)),
        (f"?cursor={cursor}&status=CREATED", auth("alice")),
        ("?cursor=nonsense", auth("alice")),
    ]:
        answer = await shop.get(URL + query, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "status=LOST", "status=created"]
)
async def test_a_query_that_makes_no_sense(shop: httpx.AsyncClient, auth: Auth, query: str) -> None:
    assert (await shop.get(f"{URL}?{query}", headers=auth("alice"))).status_code == 400


async def test_the_owner_cancels(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy, kettle: str
) -> None:
    order = await buy(quantity=5)
    answer = await shop.put(f"{URL}{order['id']}/cancel", headers=auth("alice"))
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert answer.json()["order"]["status"] == "CANCELLED"
    async with asyncio.timeout(1):
        while await stock(shop, auth, kettle) != 50:
            await asyncio.sleep(0.01)
    again = await shop.put(f"{URL}{order['id']}/cancel", headers=auth("alice"))
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")


@pytest.mark.parametrize(
    ("steps", "owner", "admin"), [(0, 200, 200), (1, 200, 200), (2, 403, 200), (3, 409, 409)]
)
@pytest.mark.parametrize("is_admin", [False, True])
async def test_who_cancels_when(
    shop: httpx.AsyncClient,
    auth: Auth,
    buy: Buy,
    steps: int,
    owner: int,
    admin: int,
    is_admin: bool,
) -> None:
    order = await buy()
    for status in STATUSES[1 : steps + 1]:
        assert (await set_status(shop, auth, order, status)).status_code == 200
    headers = auth("boss", admin=True) if is_admin else auth("alice")
    answer = await shop.put(f"{URL}{order['id']}/cancel", headers=headers)
    assert answer.status_code == (admin if is_admin else owner)


async def test_cancelling_takes_no_body_and_no_strangers(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    url = f"{URL}{(await buy())['id']}/cancel"
    assert (await shop.put(url, headers=auth("bob"))).status_code == 403
    assert (await shop.put(url)).status_code == 401
    assert (await shop.put(url, json={"x": 1}, headers=auth("alice"))).status_code == 400
    nowhere = f"{URL}{uuid4()}/cancel"
    assert (await shop.put(nowhere, headers=auth("alice"))).status_code == 404
    assert (await shop.put(url, json={}, headers=auth("alice"))).status_code == 200


async def test_an_admin_sets_the_next_status_in_body_query_or_form(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    url, boss = f"{URL}{(await buy())['id']}/status", auth("boss", admin=True)
    first = await shop.put(url, json={"status": "PROCESSING"}, headers=boss)
    second = await shop.put(url + "?status=SHIPPING", headers=boss)
    third = await shop.put(url, data={"status": "DELIVERED"}, headers=boss)
    answers = [first, second, third]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["order"]["status"] for answer in answers] == STATUSES[1:4]
    assert all(answer.json()["message"] for answer in answers)


async def test_body_and_query_may_agree_but_not_differ(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy
) -> None:
    url, boss = f"{URL}{(await buy())['id']}/status", auth("boss", admin=True)
    body = {"status": "PROCESSING"}
    differs = await shop.put(url + "?status=CANCELLED", json=body, headers=boss)
    assert (differs.status_code, list(differs.json()["errors"])) == (400, ["status"])
    agrees = await shop.put(url + "?status=PROCESSING", json=body, headers=boss)
    assert agrees.status_code == 200


@pytest.mark.parametrize("status", ["LOST", "", None, 5, "processing", ["PROCESSING"]])
async def test_an_unknown_status_is_no_conflict_but_nonsense(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy, status: object
) -> None:
    url = f"{URL}{(await buy())['id']}/status"
    boss = auth("boss", admin=True)
    assert (await shop.put(url, json={"status": status}, headers=boss)).status_code == 400
    assert (await shop.put(url, headers=boss)).status_code == 400


@pytest.mark.parametrize("status", ["CREATED", "SHIPPING", "DELIVERED"])
async def test_no_step_is_skipped_or_repeated(
    shop: httpx.AsyncClient, auth: Auth, buy: Buy, status: str
) -> None:
    answer = await set_status(shop, auth, await buy(), status)
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


async def test_only_admins_set_a_status(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    url, body = f"{URL}{(await buy())['id']}/status", {"status": "PROCESSING"}
    assert (await shop.put(url, json=body, headers=auth("alice"))).status_code == 403
    assert (await shop.put(url, json=body)).status_code == 401
    role = {"admin": "true"}
    assert (await shop.put(url, json=body, headers=role)).status_code == 401


async def test_in_demo_mode_the_role_alone_looks_and_sets(
    demo: None, shop: httpx.AsyncClient, buy: Buy
) -> None:
    order, role = await buy(), {"admin": "true"}
    assert (await shop.get(URL, headers=role)).json() == [order]
    assert (await shop.get(URL + order["id"], headers=role)).json() == order
    answer = await shop.put(f"{URL}{order['id']}/status?status=PROCESSING", headers=role)
    assert answer.status_code == 200
    assert (await shop.put(f"{URL}{order['id']}/cancel", headers=role)).status_code == 200


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "ru"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("ru-RU, en;q=0.8", "ru"),
        ("ru;q=0.5, en;q=0.8", "en"),
        ("de, en;q=0.1", "en"),
        ("de", "ru"),
        ("*", "ru"),
        ("en;q=0", "ru"),
        ("en;q=nonsense", "ru"),
        (",;,", "ru"),
    ],
)
async def test_the_names_of_the_statuses_in_two_languages(
    shop: httpx.AsyncClient, header: str | None, language: str
) -> None:
    headers = {"Accept-Language": header} if header is not None else {}
    answer = await shop.get(URL + "statuses/list", headers=headers)
    names = {
        "ru": ["Создан", "Обрабатывается", "Доставляется", "Доставлен", "Отменен"],
        "en": ["Created", "Processing", "Shipping", "Delivered", "Cancelled"],
    }
    assert answer.json() == dict(zip(STATUSES, names[language], strict=True))
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("DELETE", ""),
        ("POST", "statuses/list"),
        ("PUT", str(uuid4())),
        ("DELETE", str(uuid4())),
        ("GET", f"{uuid4()}/cancel"),
        ("POST", f"{uuid4()}/status"),
    ],
)
async def test_other_verbs_are_refused(
    shop: httpx.AsyncClient, auth: Auth, verb: str, path: str
) -> None:
    answer = await shop.request(verb, URL + path, headers=auth("alice"))
    assert answer.status_code == 405
    assert answer.headers["Allow"]


async def test_the_counters_move(shop: httpx.AsyncClient, auth: Auth, buy: Buy) -> None:
    async def figures() -> dict[str, float]:
        lines = (await shop.get("/order-api/metrics")).text.splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    before = await figures()
    order = await buy(quantity=3)
    for status in STATUSES[1:4]:
        await set_status(shop, auth, order, status)
    after = await figures()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["orders_created_total"] == 1
    assert grown["order_revenue_cents_total"] == 29997
    assert grown["order_delivery_duration_seconds_count"] == 1
    assert [grown[f'orders_status_total{{status="{status}"}}'] for status in STATUSES] == [
        *(1, 1, 1, 1, 0)
    ]
    assert {f'order_delivery_duration_seconds_bucket{{le="{le}.0"}}' for le in (30, 600)} <= set(
        after
    )
    assert {"orders_open", 'outbox_pending{destination="accounts"}'} <= set(after)


async def test_accounts_hears_of_it(shop: httpx.AsyncClient, kettle: str) -> None:
    person = {"full_name": "Алиса", "phone": "+7 999 123-45-67", "password": "a long password"}
    answer = await shop.post("/user-api/users/register", json=person | {"username": "alice"})
    alice = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    order = (await shop.post(URL, json=purchase(kettle), headers=alice)).json()
    async with asyncio.timeout(2):
        while not (news := await notifications(shop, alice)):
            await asyncio.sleep(0.01)
    assert (news[0]["order_id"], news[0]["status"]) == (order["id"], "CREATED")


async def notifications(shop: httpx.AsyncClient, headers: Headers) -> list[dict[str, Any]]:
    answer = await shop.get("/user-api/users/me/notifications", headers=headers)
    return list(answer.json())
