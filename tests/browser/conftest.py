"""A real browser in front of a whole running shop."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from deploy.local.trial import Trial, shop_on_trial

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORDS = {"swagger_user": "password123", "swagger_admin": "admin123"}
# Slow enough for a test to see an order in its first status.
SETTINGS = {"PASSWORD_ROUNDS": "4", "ORDER_PROCESSING_DELAY": "600"}

LogIn = Callable[[str, str], None]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with shop_on_trial(tmp_path_factory.mktemp("shop"), **SETTINGS) as shop:
        yield shop
        assert shop.close() == 0


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one module: Playwright's loop would stand in the way of other tests' own ones."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing = f"There is no browser: none of {', '.join(NAMES)} is installed."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, running: Trial) -> Iterator[Page]:
    """A fresh window. It stays on the shop's host, and the pages' own scripts do not fail."""
    context = chromium.new_context(base_url=running.url, viewport={"width": 1200, "height": 800})
    context.set_default_timeout(10_000)
    page, problems, hosts = context.new_page(), list[str](), set[str]()

    def note_message(message: ConsoleMessage) -> None:
        # A refusal of the API is an error to the console too, and no problem of the page's.
        if message.type == "error" and "the server responded with a status" not in message.text:
            problems.append(message.text)

    def note_host(request: Request) -> None:
        if request.url.startswith("http"):
            hosts.add(urlsplit(request.url).netloc)

    page.on("console", note_message)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", note_host)
    yield page
    context.close()
    assert problems == []
    assert hosts <= {urlsplit(running.url).netloc}


@pytest.fixture
def log_in(page: Page) -> LogIn:
    """``log_in("/cart-api/login/?next=/cart-api/cart/", "swagger_user")``"""

    def fill_in(address: str, username: str) -> None:
        page.goto(address)
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORDS[username])
        page.click("form:has(input[name=password]) :is(button, input[type=submit])")

    return fill_in


@pytest.fixture
def products(running: Trial) -> list[dict[str, Any]]:
    """Some products of the shop."""
    with httpx.Client(base_url=running.url) as client:
        found = client.get("/api/products/?limit=5&in_stock=true", headers={"admin": "true"})
        return list(found.json()["items"])


@pytest.fixture
def an_order(running: Trial, products: list[dict[str, Any]]) -> str:
    """The id of an order that was just placed."""
    with httpx.Client(base_url=running.url) as client:
        token = client.get("/user-api/swagger-admin-token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        item = {"product_id": products[2]["product_id"], "quantity": 1}
        client.post("/cart-api/cart/items", json=item)
        return str(client.post("/cart-api/cart/checkout").json()["id"])
