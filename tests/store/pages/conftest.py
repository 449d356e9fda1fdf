"""Signing in to the pages, as a browser does it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from django.conf import LazySettings

from store.asgi import application

HTML = {"Accept": "text/html,application/xhtml+xml"}
PASSWORDS = {"swagger_user": "password123", "swagger_admin": "admin123"}

SignIn = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def alone(settings: LazySettings) -> None:
    """Catalog without a gateway, in a process of its own."""
    settings.SERVICES = ["catalog"]


@pytest.fixture
async def browser(demo_shop: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The shop in demo mode, asked for pages."""
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40001))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop", headers=HTML, follow_redirects=True
    ) as client:
        yield client


def csrf_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def sign_in(browser: httpx.AsyncClient) -> SignIn:
    """``await sign_in("/api/login/", "swagger_user")`` is the page that comes after it."""

    async def fill_in(
        address: str, username: str, *, password: str | None = None, **fields: str
    ) -> httpx.Response:
        form = await browser.get(address)
        data = {"csrfmiddlewaretoken": csrf_token(form), "username": username, **fields}
        data["password"] = password or PASSWORDS[username]
        return await browser.post(address, data=data)

    return fill_in
