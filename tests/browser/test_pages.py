"""What people do in the shop's pages, done by a browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORDS, LogIn

pytestmark = pytest.mark.browser

ADMINS = {
    "catalog": "/api/admin/",
    "carts": "/cart-api/admin/",
    "orders": "/order-api/admin/",
    "accounts": "/user-api/admin/",
}


def test_the_landing_page_leads_to_every_service(page: Page) -> None:
    page.goto("/")
    for prefix in ("/api", "/cart-api", "/order-api", "/user-api"):
        expect(page.locator(f'a[href^="{prefix}/"]').first).to_be_visible()
    page.locator('a[href="/swagger/"]').first.click()
    expect(page.locator(".opblock").first).to_be_visible()


def authorize(page: Page, username: str) -> None:
    """Through Swagger UI's own dialog."""
    page.locator(".auth-wrapper > .authorize").click()
    dialog = page.locator(".auth-container", has_text="OAuth2, password")
    dialog.locator("input[type=text]").first.fill(username)
    dialog.locator("input[type=password]").first.fill(PASSWORDS[username])
    dialog.locator("button.authorize").click()
    expect(dialog.locator("button", has_text="Logout")).to_be_visible()
    page.locator(".btn-done").first.click()


def try_out(page: Page, operation: str) -> None:
    block = page.locator(f"#{operation}")
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table tr.response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")


def test_swagger_ui_logs_in_and_calls(page: Page) -> None:
    page.goto("/cart-api/docs/")
    authorize(page, "swagger_user")
    try_out(page, "operations-cart-getCart")
    expect(page.locator(".live-responses-table tr.response").first).to_contain_text('"total"')

    page.reload()  # the login stays, the password was never kept
    expect(page.locator(".auth-wrapper > .authorize.locked")).to_be_visible()
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "access_token" in kept
    assert PASSWORDS["swagger_user"] not in kept


def test_swagger_ui_shows_every_service(page: Page) -> None:
    for prefix in ("/api", "/order-api", "/user-api"):
        page.goto(f"{prefix}/docs/")
        expect(page.locator(".opblock").first).to_be_visible()
        expect(page.locator(".errors-wrapper")).to_have_count(0)


def test_a_user_buys_something_with_forms(
    page: Page, log_in: LogIn, products: list[dict[str, Any]]
) -> None:
    log_in("/cart-api/login/?next=/cart-api/cart/items", "swagger_user")
    expect(page.locator(".shop-bar .person")).to_contain_text("swagger_user")
    form = page.locator("#post-object-form")
    form.locator("[name=product_id]").fill(products[0]["product_id"])
    form.locator("[name=quantity]").fill("2")
    form.locator("button").click()
    expect(page.locator(".response-info")).to_contain_text("HTTP 200 OK")
    expect(page.locator(".response-info")).to_contain_text(products[0]["name"])

    page.goto("/cart-api/cart/checkout")
    page.locator("#post-object-form button").click()
    expect(page.locator(".response-info")).to_contain_text("CREATED")


def test_a_person_changes_his_name_with_a_form(page: Page, log_in: LogIn) -> None:
    log_in("/user-api/login/?next=/user-api/users/me", "swagger_user")
    name = page.locator("#put-object-form [name=full_name]")
    expect(name).to_have_value("Swagger Regular User")
    name.fill("Пётр Покупатель")
    page.locator("#put-object-form button").click()
    expect(page.locator(".response-info")).to_contain_text("Пётр Покупатель")
    name.fill("Swagger Regular User")
    page.locator("#put-object-form button").click()
    expect(page.locator(".response-info")).to_contain_text("Swagger Regular User")


def test_a_cart_is_emptied_with_a_button(
    page: Page, log_in: LogIn, products: list[dict[str, Any]]
) -> None:
    log_in("/cart-api/login/?next=/cart-api/cart/items", "swagger_admin")
    page.locator("#post-object-form [name=product_id]").fill(products[1]["product_id"])
    page.locator("#post-object-form [name=quantity]").fill("1")
    page.locator("#post-object-form button").click()
    page.goto("/cart-api/cart/")
    page.locator("button[data-target='#deleteModal']").click()
    page.locator("#deleteModal button", has_text="Delete").click()
    expect(page.locator(".response-info")).to_contain_text('"message"')
    page.goto("/cart-api/cart/")
    expect(page.locator(".response-info")).to_contain_text('"items": []')


def test_an_admin_adds_a_product_with_raw_data(page: Page, log_in: LogIn) -> None:
    log_in("/api/login/?next=/api/products/", "swagger_admin")
    page.locator("a[name=raw-tab]").click()
    page.locator("#post-generic-content-form textarea").fill(
        '{"name": "Сырники", "category": "Проба", "price": 199.9, "stock_count": 3}'
    )
    page.locator("#post-generic-content-form button").click()
    expect(page.locator(".response-info")).to_contain_text("HTTP 201 Created")
    expect(page.locator(".response-info")).to_contain_text("Сырники")


def test_whoever_logs_out_is_out(page: Page, log_in: LogIn) -> None:
    log_in("/order-api/login/?next=/order-api/orders/", "swagger_user")
    expect(page.locator(".response-info")).to_contain_text("HTTP 200 OK")
    page.locator(".shop-bar .person button").click()
    expect(page.locator(".response-info")).to_contain_text("HTTP 401 Unauthorized")
    page.go_back()
    page.reload()
    expect(page.locator(".response-info")).to_contain_text("HTTP 401 Unauthorized")


def test_a_wrong_password_is_said_to_be_wrong(page: Page) -> None:
    page.goto("/api/login/")
    page.fill("input[name=username]", "swagger_user")
    page.fill("input[name=password]", "a wrong password")
    page.click("button.go")
    expect(page.locator(".problem")).to_have_text("The username or the password is wrong.")
    assert page.input_value("input[name=password]") == ""


def test_an_admin_looks_into_all_four_services(page: Page, log_in: LogIn) -> None:
    for service, address in ADMINS.items():
        log_in(address, "swagger_admin")
        expect(page.locator("#site-name")).to_have_text(f"Product Store: {service}")
    for service, address in ADMINS.items():  # the links between them work, each stays signed in
        page.locator(f".shop-admins a[href='{address}']").click()
        expect(page.locator("#site-name")).to_have_text(f"Product Store: {service}")
        expect(page.locator(".errornote")).to_have_count(0)


def test_an_admin_searches_for_products(page: Page, log_in: LogIn) -> None:
    log_in("/api/admin/catalog/product/", "swagger_admin")
    page.fill("#searchbar", "молоко")
    page.click("#changelist-search input[type=submit]")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Молоко")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator("#content h1")).to_contain_text("Молоко")
    expect(page.locator(".form-row", has_text="In stock")).to_have_text(re.compile(r"\d+"))


def test_an_admin_filters_orders_by_status(page: Page, log_in: LogIn, an_order: str) -> None:
    log_in("/order-api/admin/orders/order/", "swagger_admin")
    page.locator("#changelist-filter a", has_text="Created").click()
    rows = page.locator("#result_list tbody tr")
    rows.locator("th a", has_text=an_order).click()
    expect(page.locator("#content")).to_contain_text("CREATED (Создан)")
    page.go_back()
    page.locator("#changelist-filter a", has_text="Delivered").click()
    expect(rows).to_have_count(0)


def test_an_admin_sees_users_and_no_hashes(page: Page, log_in: LogIn) -> None:
    log_in("/user-api/admin/accounts/user/", "swagger_admin")
    for address in ("", "swagger_user/change/"):
        page.goto(f"/user-api/admin/accounts/user/{address}")
        expect(page.locator("#content")).to_contain_text("+7 (999) 123-45-67")
        assert "bcrypt" not in page.content()
        assert "password" not in page.locator("#content").inner_text().lower()


def test_a_user_does_not_get_into_an_admin(page: Page, log_in: LogIn) -> None:
    log_in("/order-api/admin/", "swagger_user")
    expect(page.locator(".errornote")).to_have_text("This account is not an admin's.")
    page.goto("/order-api/admin/orders/order/")
    expect(page.locator("#login-form")).to_be_visible()
