"""The browsable API: its forms do what programs do, for the person who is signed in."""

import re

import httpx
import pytest

from tests.store.pages.conftest import SignIn, csrf_token

MILK = {"name": "Молоко «Летнее»", "category": "Проба", "price": "99.90", "stock_count": "5"}


async def milk(browser: httpx.AsyncClient, sign_in: SignIn) -> str:
    """The id of a product that an admin made with the form."""
    page = await sign_in("/api/login/?next=/api/products/", "swagger_admin")
    data = {"csrfmiddlewaretoken": csrf_token(page), **MILK, "description": "", "manufacturer": ""}
    page = await browser.post("/api/products/", data=data)
    assert page.status_code == 201
    found = re.search(r"&quot;product_id&quot;: &quot;([0-9a-f-]{36})", page.text)
    assert found
    return found[1]


async def test_an_admin_adds_changes_and_deletes_a_product_with_forms(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    address = f"/api/products/{await milk(browser, sign_in)}"
    page = await browser.get(address)
    assert 'value="Молоко «Летнее»"' in page.text  # the form begins with what is there
    assert 'data-method="DELETE"' in page.text

    token = {"X-CSRFToken": csrf_token(page)}
    page = await browser.put(address, data={"price": "89.5"}, headers=token)
    assert page.status_code == 200
    assert "89.5" in page.text
    page = await browser.delete(address, headers=token)
    assert page.status_code == 200  # a page about the 204
    assert "HTTP 204" in page.text


async def test_a_user_fills_his_cart_and_checks_out_with_forms(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    product_id = await milk(browser, sign_in)
    page = await sign_in("/cart-api/login/?next=/cart-api/cart/items", "swagger_user")
    token = csrf_token(page)
    data = {"csrfmiddlewaretoken": token, "product_id": product_id, "quantity": "2"}
    page = await browser.post("/cart-api/cart/items", data=data)
    assert page.status_code == 200
    assert "199.8" in page.text

    page = await browser.post("/cart-api/cart/checkout", data={"csrfmiddlewaretoken": token})
    assert page.status_code == 200
    assert "CREATED" in page.text


async def test_what_was_refused_stands_in_the_form_with_the_reason(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in("/api/login/?next=/api/products/", "swagger_admin")
    data = {"csrfmiddlewaretoken": csrf_token(page), **MILK, "price": "a lot"}
    page = await browser.post("/api/products/", data=data)
    assert page.status_code == 400
    assert 'value="a lot"' in page.text
    assert 'class="help-block">A number is required.' in page.text


@pytest.mark.parametrize("token", [None, "x" * 32, "x" * 64])
async def test_a_form_from_elsewhere_changes_nothing(
    token: str | None, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("/api/login/", "swagger_admin")
    data = MILK | ({"csrfmiddlewaretoken": token} if token else {})
    page = await browser.post("/api/products/", data=data)
    assert page.status_code == 403
    assert "csrf_failed" in page.text
    assert "swagger_admin" in page.text


async def test_forms_are_for_those_who_may(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    page = await sign_in("/api/login/?next=/api/products/%3Fcategory=x", "swagger_user")
    assert page.status_code == 200
    assert 'method="POST" enctype' not in page.text
    assert 'data-method="DELETE"' not in page.text


async def test_what_only_takes_posts_shows_its_form_to_a_browser(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in("/cart-api/login/?next=/cart-api/cart/items", "swagger_user")
    assert page.status_code == 405
    assert 'name="product_id"' in page.text


@pytest.mark.parametrize("prefix", ["/api", "/cart-api", "/order-api", "/user-api"])
async def test_the_root_leads_on(prefix: str, browser: httpx.AsyncClient) -> None:
    page = await browser.get(f"{prefix}/")
    links = set(re.findall(r'href="([^"#]+)"', page.text))
    for address in (f"{prefix}/docs/", f"{prefix}/admin/", "/api/", "/order-api/"):
        assert address in links
    for address in (link for link in links if link.startswith(prefix)):
        answer = await browser.get(address)
        assert answer.status_code in (200, 401, 403, 405), address


async def test_programs_find_admin_and_login_at_the_root(demo_shop: httpx.AsyncClient) -> None:
    found = (await demo_shop.get("/order-api/")).json()
    assert found["admin"] == "/order-api/admin/"
    assert found["login"] == "/order-api/login/"
    assert found["docs"] == "/order-api/docs/"


async def test_a_name_is_text_whatever_stands_in_it(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in("/api/login/?next=/api/products/", "swagger_admin")
    data = {"csrfmiddlewaretoken": csrf_token(page), **MILK, "name": "<script>alert(1)</script>"}
    page = await browser.post("/api/products/", data=data)
    assert page.status_code == 201
    assert "<script>alert" not in page.text
    page = await browser.get("/api/products/?category=Проба")
    assert "<script>alert" not in page.text
