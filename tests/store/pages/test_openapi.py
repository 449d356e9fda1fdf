"""The OpenAPI documents: whole, without warnings, and true for where they are read from."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from store import docs

PREFIXES = {
    "catalog": "/api",
    "carts": "/cart-api",
    "orders": "/order-api",
    "accounts": "/user-api",
}
Document = dict[str, Any]
each_service = pytest.mark.parametrize("service", PREFIXES)


async def document(shop: httpx.AsyncClient, service: str) -> Document:
    answer = await shop.get(f"{PREFIXES[service]}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(described: Document) -> Iterator[tuple[str, Document]]:
    for path, ways in described["paths"].items():
        for verb, operation in ways.items():
            yield f"{verb.upper()} {path}", operation


@each_service
def test_a_document_is_made_without_a_warning(
    service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    GENERATOR_STATS.reset()
    docs.operations.cache_clear()
    docs.operations(service)
    assert not GENERATOR_STATS
    assert capsys.readouterr().err == ""


@each_service
async def test_a_document_is_valid_openapi(service: str, shop: httpx.AsyncClient) -> None:
    described = await document(shop, service)
    validate_schema(described)
    assert described["info"]["title"] == f"Product Store: {service}"
    assert described["info"]["version"]
    assert described["servers"] == [{"url": PREFIXES[service]}]


@each_service
async def test_a_document_has_all_addresses_of_its_service_and_no_others(
    service: str, shop: httpx.AsyncClient
) -> None:
    routes = {str(route.pattern) for route in import_module(f"{service}.urls").urlpatterns}
    expected = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route}") for route in routes}
    assert set((await document(shop, service))["paths"]) == expected


@each_service
async def test_every_operation_names_its_errors_in_the_one_form(
    service: str, shop: httpx.AsyncClient
) -> None:
    described = await document(shop, service)
    error = {"$ref": "#/components/schemas/Error"}
    for name, operation in operations(described):
        other = operation["responses"]["default"]["content"]["application/json"]["schema"]
        assert other == error, name
        assert operation["summary"], name
    for response in described["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == error


@each_service
async def test_every_operation_has_an_id_of_its_own(service: str, shop: httpx.AsyncClient) -> None:
    described = await document(shop, service)
    ids = [operation["operationId"] for _, operation in operations(described)]
    assert len(set(ids)) == len(ids)


@each_service
async def test_what_is_said_to_programmers_of_the_shop_stays_in_its_source(
    service: str, shop: httpx.AsyncClient
) -> None:
    text = str(await document(shop, service))
    assert "coroutine" not in text
    assert "event loop" not in text
    assert "All products, page by page" not in text  # the docstring of a view


async def test_calls_between_services_say_so(shop: httpx.AsyncClient) -> None:
    described = await document(shop, "accounts")
    news = described["paths"]["/users/notify/order-status"]["post"]
    assert news["security"] == [{"service": []}]
    assert news["x-internal"] is True
    assert news["x-callers"] == ["orders"]
    assert "orders only" in news["description"]


async def test_the_token_is_had_from_accounts_through_the_gateway(shop: httpx.AsyncClient) -> None:
    described = await document(shop, "catalog")
    flows = described["components"]["securitySchemes"]["password"]["flows"]
    assert flows["password"]["tokenUrl"] == "/user-api/token"


async def test_a_service_addressed_directly_sends_to_accounts_by_its_address(
    alone: None, shop: httpx.AsyncClient
) -> None:
    described = (await shop.get("/openapi.json")).json()
    flows = described["components"]["securitySchemes"]["password"]["flows"]
    assert flows["password"]["tokenUrl"] == "http://127.0.0.1:8003/token"
    assert described["servers"] == [{"url": "/"}]


async def test_the_open_admin_header_is_described_in_demo_mode_alone(
    shop: httpx.AsyncClient, settings: LazySettings
) -> None:
    usual = await document(shop, "catalog")
    settings.DEMO = True
    demo = await document(shop, "catalog")
    assert "adminHeader" not in str(usual)
    assert {"adminHeader": []} in demo["paths"]["/products/"]["get"]["security"]


@each_service
async def test_swagger_ui_needs_no_other_host(service: str, shop: httpx.AsyncClient) -> None:
    page = await shop.get(f"{PREFIXES[service]}/docs/", headers={"Accept": "text/html"})
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert page.status_code == 200
    assert "https://" not in page.text
    for source in (each for each in sources if "/static/" in each):
        assert source.startswith(f"{PREFIXES[service]}/static/")
        assert (await shop.get(source)).status_code == 200
    assert f'data-document="{PREFIXES[service]}/openapi.json"' in page.text
    assert 'data-token="/user-api/token"' in page.text


async def test_swagger_ui_opens_whatever_token_the_browser_sends(shop: httpx.AsyncClient) -> None:
    page = await shop.get("/api/docs/", headers={"Authorization": "Bearer nonsense"})
    assert page.status_code == 200
