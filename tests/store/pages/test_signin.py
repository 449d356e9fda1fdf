"""Signing in to the pages of a service: who gets in, for how long, and with what cookie."""

import logging
from http.cookies import SimpleCookie

import httpx
import pytest
from django.conf import LazySettings

from tests.store.pages.conftest import HTML, SignIn, csrf_token


def cookie_of(page: httpx.Response, name: str) -> dict[str, str]:
    """The attributes of a cookie that was set on the way to a page."""
    for answer in (*page.history, page):
        for header in answer.headers.get_list("set-cookie"):
            if name in (cookies := SimpleCookie(header)):
                return {key: value for key, value in cookies[name].items() if value}
    raise AssertionError(f"{name} was not set")


async def test_somebody_who_signed_in_is_shown_by_name(sign_in: SignIn) -> None:
    page = await sign_in("/cart-api/login/?next=/cart-api/cart/", "swagger_user")
    assert page.url.path == "/cart-api/cart/"
    assert "swagger_user" in page.text
    assert "log out" in page.text


async def test_whoever_logs_out_is_nobody_again(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in("/cart-api/login/?next=/cart-api/cart/", "swagger_user")
    data = {"csrfmiddlewaretoken": csrf_token(page)}
    page = await browser.post("/cart-api/logout/?next=/cart-api/cart/", data=data)
    assert page.status_code == 401
    assert "log in" in page.text
    assert "store_carts_session" not in browser.cookies or "swagger_user" not in page.text


async def test_a_link_logs_nobody_out(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("/cart-api/login/", "swagger_user")
    assert (await browser.get("/cart-api/logout/")).status_code == 405
    assert (await browser.get("/cart-api/cart/")).status_code == 200


async def test_a_wrong_password_is_refused_with_a_sentence(sign_in: SignIn) -> None:
    page = await sign_in("/api/login/", "swagger_user", password="a wrong password")
    assert page.status_code == 401
    assert "The username or the password is wrong." in page.text
    assert "a wrong password" not in page.text


@pytest.mark.parametrize("username", ["", "x", "n\x00l", "ä" * 60])
async def test_names_that_cannot_be_are_wrong_and_no_error(
    username: str, browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    page = await sign_in("/api/login/", username, password="a wrong password")
    assert page.status_code in (400, 401)


async def test_guessing_is_slowed_down_for_the_address_it_comes_from(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    browser.headers["X-Real-IP"] = "203.0.113.7"
    for _ in range(10):
        await sign_in("/api/login/", "swagger_user", password="a wrong password")
    page = await sign_in("/api/login/", "swagger_user")
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "Too many wrong passwords" in page.text

    browser.headers["X-Real-IP"] = "203.0.113.8"
    assert (await sign_in("/api/login/", "swagger_user")).status_code == 200


async def test_without_accounts_the_form_says_so_and_who_is_in_stays_in(
    browser: httpx.AsyncClient, sign_in: SignIn, settings: LazySettings
) -> None:
    await sign_in("/api/login/", "swagger_admin")
    settings.SERVICE_URLS = {**settings.SERVICE_URLS, "accounts": "http://127.0.0.1:9"}
    page = await sign_in("/cart-api/login/", "swagger_user")
    assert page.status_code == 503
    assert "The accounts service is away" in page.text
    assert "swagger_admin" in (await browser.get("/api/products/")).text


async def test_a_cookie_is_its_services_own_and_for_no_script(sign_in: SignIn) -> None:
    cookie = cookie_of(await sign_in("/order-api/login/", "swagger_user"), "store_orders_session")
    assert cookie == {
        "path": "/order-api",
        "httponly": True,
        "samesite": "Lax",
        "max-age": "28800",
        "expires": cookie["expires"],
    }


async def test_a_cookie_that_came_by_https_goes_by_https_only(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    browser.headers["X-Forwarded-Proto"] = "https"
    browser.headers["Referer"] = "https://shop/api/login/"
    browser.base_url = httpx.URL("https://shop")
    page = await sign_in("/api/login/", "swagger_user")
    assert cookie_of(page, "store_catalog_session")["secure"]


async def test_one_service_signs_nobody_in_to_another(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("/cart-api/login/", "swagger_user")
    assert "swagger_user" not in (await browser.get("/order-api/")).text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"],
)
async def test_signing_in_leads_to_no_other_host(elsewhere: str, sign_in: SignIn) -> None:
    page = await sign_in("/api/login/", "swagger_user", next=elsewhere)
    assert (page.url.host, page.url.path) == ("shop", "/api/")


async def test_a_session_ends_by_itself(
    browser: httpx.AsyncClient, sign_in: SignIn, settings: LazySettings
) -> None:
    await sign_in("/cart-api/login/", "swagger_user")
    settings.SESSION_COOKIE_AGE = -1
    assert (await browser.get("/cart-api/cart/")).status_code == 401


async def test_a_form_from_elsewhere_signs_nobody_in(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/login/", data={"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.text


async def test_no_password_and_no_session_reaches_the_log(
    sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await sign_in("/api/login/", "swagger_user")
        await sign_in("/api/login/", "swagger_user", password="a wrong password")
    assert "password123" not in caplog.text
    assert "a wrong password" not in caplog.text


async def test_the_json_api_never_looks_at_a_cookie(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("/cart-api/login/", "swagger_user")
    answer = await browser.get("/cart-api/cart/", headers={"Accept": "application/json"})
    assert answer.status_code == 401


async def test_a_token_goes_before_the_cookie(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("/cart-api/login/", "swagger_user")
    page = await browser.get(
        "/cart-api/cart/", headers={**HTML, "Authorization": "Bearer nonsense"}
    )
    assert page.status_code == 401
    assert "bad_token" in page.text
