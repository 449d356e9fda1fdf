"""The four admins: admins look, and nobody changes anything."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.apps import apps

from tests.store.pages.conftest import SignIn, csrf_token

ADMINS = {
    "catalog": "/api/admin/",
    "carts": "/cart-api/admin/",
    "orders": "/order-api/admin/",
    "accounts": "/user-api/admin/",
}
LISTS = {
    "catalog/product": "/api/admin/catalog/product/",
    "catalog/reservation": "/api/admin/catalog/reservation/",
    "carts": "/cart-api/admin/carts/cart/",
    "orders": "/order-api/admin/orders/order/",
    "accounts": "/user-api/admin/accounts/user/",
}
each_admin = pytest.mark.parametrize("service", ADMINS)


def names(page: httpx.Response) -> list[str]:
    """The first column of a list."""
    return re.findall(r'<th class="field-[^>]*><a href="[^"]*/change/[^>]*>([^<]*)</a>', page.text)


async def open_list(sign_in: SignIn, name: str) -> httpx.Response:
    page = await sign_in(f"{LISTS[name].split('admin/')[0]}admin/login/", "swagger_admin")
    assert page.status_code == 200
    return page


@each_admin
async def test_nobody_is_asked_to_log_in(service: str, browser: httpx.AsyncClient) -> None:
    page = await browser.get(ADMINS[service])
    assert page.url.path == f"{ADMINS[service]}login/"
    assert page.url.params["next"] == ADMINS[service]


@each_admin
async def test_an_admin_gets_in_and_finds_the_other_three(service: str, sign_in: SignIn) -> None:
    page = await sign_in(f"{ADMINS[service]}login/", "swagger_admin")
    assert page.url.path == ADMINS[service]
    assert f"Product Store: {service}" in page.text
    for address in ADMINS.values():
        assert f'href="{address}"' in page.text


@each_admin
async def test_a_user_does_not_get_in(
    service: str, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in(f"{ADMINS[service]}login/", "swagger_user")
    assert page.status_code == 403
    assert "This account is not an admin&#x27;s." in page.text
    assert (await browser.get(ADMINS[service])).url.path.endswith("/login/")


async def test_a_user_who_is_signed_in_to_the_api_does_not_get_in(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("/api/login/", "swagger_user")
    page = await browser.get(LISTS["catalog/product"])
    assert page.url.path == "/api/admin/login/"
    assert "swagger_user, but are not authorized" in " ".join(page.text.split())


async def test_no_header_opens_an_admin(browser: httpx.AsyncClient, auth: Any) -> None:
    for headers in ({"admin": "true"}, auth("boss", admin=True)):
        page = await browser.get(LISTS["accounts"], headers=headers)
        assert page.url.path == "/user-api/admin/login/"


async def test_products_are_found_by_the_beginning_of_a_word(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, "catalog/product")
    page = await browser.get(LISTS["catalog/product"], params={"q": "молоко козье"})
    assert [name.split(" ")[0] for name in names(page)] == ["Молоко"]


async def test_products_are_shown_by_category_and_price(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, "catalog/product")
    page = await browser.get(LISTS["catalog/product"], params={"category": "Мясо", "o": "-2"})
    prices = [float(each) for each in re.findall(r'field-price">([\d.]+)<', page.text)]
    assert len(prices) > 10
    assert prices == sorted(prices, reverse=True)
    assert "Молоко козье" not in page.text


async def test_pages_of_products_follow_each_other(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, "catalog/product")
    pages = [await browser.get(LISTS["catalog/product"], params={"p": p}) for p in (1, 2, 3, 4)]
    shown = [name for page in pages for name in names(page)]
    assert len(shown) == len(set(shown)) > 300
    assert f"{len(shown)}\n  products" in pages[0].text


@pytest.mark.parametrize(
    "query",
    [
        "p=99999",
        "p=x",
        "p=-1",
        "o=x",
        "o=99",
        "category__exact=x",
        "name__startswith=x",
        "e=1",
        "p=" + "9" * 5000,
    ],
)
async def test_no_query_string_is_an_error(
    query: str, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, "catalog/product")
    page = await browser.get(f"{LISTS['catalog/product']}?{query}")
    assert page.status_code in (200, 400)


async def test_carts_are_shown_with_their_lines(
    browser: httpx.AsyncClient, sign_in: SignIn, demo_shop: httpx.AsyncClient, auth: Any
) -> None:
    item = await put_into_cart(demo_shop, auth("alice"), quantity=3)
    await put_into_cart(demo_shop, auth("bob"), quantity=1)
    await open_list(sign_in, "carts")
    assert names(await browser.get(LISTS["carts"])) == ["alice", "bob"]
    assert names(await browser.get(LISTS["carts"], params={"q": "bob"})) == ["bob"]
    page = await browser.get(f"{LISTS['carts']}alice/change/")
    assert item["product_id"] in page.text
    assert item["name"] in page.text
    assert f"{item['total_price']:.2f}" in page.text


async def test_orders_are_found_by_status_by_user_and_by_id(
    browser: httpx.AsyncClient, sign_in: SignIn, demo_shop: httpx.AsyncClient, auth: Any
) -> None:
    his, hers = [await bought(demo_shop, auth(name)) for name in ("bob", "alice")]
    await demo_shop.put(f"/order-api/orders/{his['id']}/cancel", headers=auth("bob"))
    await open_list(sign_in, "orders")
    for query, expected in (
        ({}, [hers, his]),
        ({"status": "CANCELLED"}, [his]),
        ({"status": "SHIPPING"}, []),
        ({"q": "alice"}, [hers]),
        ({"q": his["id"]}, [his]),
        ({"q": "alice", "status": "CANCELLED"}, []),
        ({"status": "NONSENSE"}, None),
    ):
        page = await browser.get(LISTS["orders"], params=query)
        if expected is not None:
            assert names(page) == [order["id"] for order in expected], query
        assert page.status_code == 200


async def test_an_order_is_shown_with_its_lines_and_what_comes_next(
    browser: httpx.AsyncClient, sign_in: SignIn, demo_shop: httpx.AsyncClient, auth: Any
) -> None:
    order = await bought(demo_shop, auth("alice"))
    await open_list(sign_in, "orders")
    page = await browser.get(f"{LISTS['orders']}{order['id']}/change/")
    assert order["items"][0]["name"] in page.text
    assert "CREATED (Создан)" in page.text
    assert "PROCESSING, 20" in page.text


async def test_reservations_are_shown_by_state(
    browser: httpx.AsyncClient, sign_in: SignIn, demo_shop: httpx.AsyncClient, auth: Any
) -> None:
    order = await bought(demo_shop, auth("alice"))
    await open_list(sign_in, "catalog/reservation")
    pages = [
        await browser.get(LISTS["catalog/reservation"], params={"state": state})
        for state in ("held", "sold")
    ]
    assert any(order["id"] in page.text for page in pages)


async def test_users_are_found_by_a_part_of_their_name(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, "accounts")
    assert len(names(await browser.get(LISTS["accounts"]))) == 2
    page = await browser.get(LISTS["accounts"], params={"q": "regular"})
    assert names(page) == ["swagger_user"]


async def test_no_page_shows_a_passwords_hash(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await open_list(sign_in, "accounts")
    people: Any = apps.get_app_config("accounts")
    user = await people.people.known("swagger_user")
    for page in (LISTS["accounts"], f"{LISTS['accounts']}swagger_user/change/"):
        text = (await browser.get(page)).text
        assert "Swagger Regular User" in text
        assert user.password_hash[-20:] not in text
        assert "bcrypt" not in text
        assert "password_hash" not in text


@pytest.mark.parametrize("name", LISTS)
async def test_nothing_can_be_changed(
    name: str, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    headers = {"X-CSRFToken": csrf_token(await open_list(sign_in, name))}
    for path in ("", "add/", "x/", "x/change/", "x/delete/", "x/history/"):
        for method in ("POST", "PUT", "DELETE"):
            answer = await browser.request(method, f"{LISTS[name]}{path}", headers=headers)
            assert answer.status_code in (404, 405), (method, path)


@pytest.mark.parametrize("name", LISTS)
async def test_what_is_not_there_is_a_small_page(
    name: str, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await open_list(sign_in, name)
    for path in ("add/", "x/history/", "x/delete/", "nonsense", f"{uuid4()}/change/"):
        page = await browser.get(f"{LISTS[name]}{path}")
        assert page.status_code == 404, path
        assert "There is nothing here." in page.text


async def test_an_admin_logs_out(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    data = {"csrfmiddlewaretoken": csrf_token(await open_list(sign_in, "catalog/product"))}
    await browser.post("/api/admin/logout/?next=/api/admin/login/", data=data)
    assert (await browser.get("/api/admin/")).url.path == "/api/admin/login/"


async def put_into_cart(shop: httpx.AsyncClient, headers: Any, *, quantity: int) -> dict[str, Any]:
    page = await shop.get("/api/products/?limit=1", headers={**headers, "admin": "true"})
    item = {"product_id": page.json()["items"][0]["product_id"], "quantity": quantity}
    answer = await shop.post("/cart-api/cart/items", json=item, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def bought(shop: httpx.AsyncClient, headers: Any) -> dict[str, Any]:
    await put_into_cart(shop, headers, quantity=2)
    order = await shop.post("/cart-api/cart/checkout", headers=headers)
    assert order.status_code == 200, order.text
    return dict(order.json())
