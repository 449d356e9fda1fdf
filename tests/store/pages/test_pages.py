"""What all pages have in common: headers, static files, readable errors."""

import subprocess
import sys
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.conf import LazySettings

from store import docs
from store.errors import Unavailable
from tests.store.pages.conftest import HTML, SignIn

PAGES = ["/api/", "/cart-api/cart/", "/order-api/docs/", "/user-api/admin/login/", "/api/login/"]
PROGRAM = {"Accept": "application/json"}


@pytest.mark.parametrize("page", [*PAGES, "/api/nothing"])
async def test_pages_say_what_a_browser_may_do_with_them(
    page: str, browser: httpx.AsyncClient
) -> None:
    headers = (await browser.get(page)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Request-ID"]


@pytest.mark.parametrize("page", PAGES)
async def test_no_page_has_a_script_in_it(page: str, browser: httpx.AsyncClient) -> None:
    text = (await browser.get(page)).text
    scripts = text.replace('<script type="application/json"', "").split("<script")[1:]
    assert all(script.lstrip().startswith("src=") for script in scripts)
    assert "onclick=" not in text


async def test_what_is_not_there_is_a_small_page_for_a_browser(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/api/nothing")
    assert page.status_code == 404
    assert "<h1>404 Not Found</h1>" in page.text
    assert "There is nothing here." in page.text


async def test_what_is_not_there_is_json_for_a_program(browser: httpx.AsyncClient) -> None:
    for address in ("/api/nothing", "/api/admin/nothing", "/api/docs/nothing", "/api/static/x.js"):
        answer = await browser.get(address, headers=PROGRAM)
        if answer.url.path == address:  # the admin asks to log in first
            assert answer.status_code == 404
            assert answer.json()["code"] == "not_found"


async def test_our_own_fault_shows_nothing_of_the_inside(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> bytes:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(docs, "document", broken)
    page = await browser.get("/api/openapi.json")
    assert page.status_code == 500
    assert "Something went wrong on our side." in page.text
    assert "hunter2" not in page.text
    assert "hunter2" in caplog.text
    assert (await browser.get("/api/openapi.json", headers=PROGRAM)).json()["code"] == (
        "internal_error"
    )


async def test_an_admin_whose_store_is_away_says_so(
    browser: httpx.AsyncClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The store is away.")

    await sign_in("/api/admin/login/", "swagger_admin")
    catalog: Any = apps.get_app_config("catalog")
    monkeypatch.setattr(catalog.catalog, "page", away)
    page = await browser.get("/api/admin/catalog/product/")
    assert page.status_code == 503
    assert "The store is away." in page.text
    assert page.headers["Retry-After"]


async def test_a_host_that_is_not_ours_is_refused(
    browser: httpx.AsyncClient, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["shop"]
    page = await browser.get("/api/login/", headers={**HTML, "Host": "evil.example"})
    assert page.status_code == 400
    assert "evil.example" not in page.text


@pytest.mark.parametrize("prefix", ["/api", "/user-api"])
async def test_static_files_are_there_under_each_prefix(
    prefix: str, browser: httpx.AsyncClient
) -> None:
    answer = await browser.get(f"{prefix}/static/store/pages.css")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "max-age=3600" in answer.headers["Cache-Control"]
    unchanged = {
        "If-None-Match": answer.headers.get("ETag", ""),
        "If-Modified-Since": answer.headers["Last-Modified"],
    }
    again = await browser.get(f"{prefix}/static/store/pages.css", headers=unchanged)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["../settings/base.py", "%2e%2e/settings/base.py", "", "store/"])
async def test_nothing_else_is_a_static_file(path: str, browser: httpx.AsyncClient) -> None:
    assert (await browser.get(f"/api/static/{path}")).status_code == 404


async def test_a_service_alone_has_its_pages_at_its_root(
    alone: None, shop: httpx.AsyncClient
) -> None:
    page = await shop.get("/docs/", headers=HTML)
    assert 'src="/static/drf_spectacular_sidecar/' in page.text
    assert 'href="http://127.0.0.1:8002/docs/"' in page.text
    assert "connect-src 'self' http://127.0.0.1:8003;" in page.headers["Content-Security-Policy"]


async def test_behind_the_gateway_a_service_alone_has_them_under_its_prefix(
    alone: None, shop: httpx.AsyncClient
) -> None:
    page = await shop.get("/docs/", headers={**HTML, "X-Forwarded-Prefix": "/api"})
    assert 'src="/api/static/drf_spectacular_sidecar/' in page.text
    assert 'href="/order-api/docs/"' in page.text


async def test_a_stranger_cannot_choose_the_prefix(alone: None, shop: httpx.AsyncClient) -> None:
    page = await shop.get("/docs/", headers={**HTML, "X-Forwarded-Prefix": "//evil.example"})
    assert "evil.example" not in page.text


def test_a_service_that_nobody_looks_at_loads_no_pages() -> None:
    program = "import sys, store.asgi; sys.exit('store.pages' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_the_landing_page_is_there_without_a_gateway(browser: httpx.AsyncClient) -> None:
    for address in ("/", "/swagger/", "/shop.css"):
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        assert answer.content
    page = await browser.get("/nothing")
    assert page.status_code == 404
    assert "There is nothing here." in page.text
