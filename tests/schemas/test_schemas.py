"""The four OpenAPI documents against the services: what they allow and forbid is so.

Schemathesis makes the requests, good ones and bad ones, and judges the answers by the documents.
SCHEMA_EXAMPLES=100 asks for more of them.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from django.conf import settings as shop_settings
from hypothesis import HealthCheck, settings
from schemathesis import Case, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation

from store import docs
from tests.contract import callers
from tests.model.shop import RealShop

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "5"))
# What the checks below leave out.
NOT_HERE = {
    # They send requests of their own; tests/contract tries each operation with every caller.
    "ignored_auth",
    "object_level_authorization",
    # They follow one resource through several requests; tests/model does.
    "use_after_free",
    "ensure_resource_availability",
}
load_all_checks()
JUDGES = {name: CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_HERE}
RULES = {
    "insufficient_stock",
    "quantity_too_large",
    "bad_cursor",
    "bad_idempotency_key",
    "total_mismatch",
    "empty_cart",
    "username_taken",
}
SENTENCES = re.compile(
    r"At most two decimals|min_price is above|without skip|can be seen"
    r"|^status: (Body and query differ|This field is required)"  # one of them has to say it
    r"|^detail: Numbers with an exponent|^m(ax|in)_price: A number is required"  # 1e+17
)
PARTS = ("method", "url", "headers", "params", "cookies", "data", "json", "files")
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}


def schema_of(name: str) -> Any:
    content = docs.document(name, shop_settings.PREFIXES[name], "/user-api/token", demo=False)
    config = SchemathesisConfig.from_dict({"generation": {"mode": "all", "max-examples": EXAMPLES}})
    return schemathesis.openapi.from_dict(json.loads(content), config=config)


catalog, carts, orders, accounts = map(schema_of, ("catalog", "carts", "orders", "accounts"))
few = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def shop() -> Iterator[RealShop]:
    shop = RealShop()
    shop.register("boss")
    yield shop
    shop.close()


@catalog.parametrize()
@few
def test_catalog(case: Case, shop: RealShop) -> None:
    judge(case, shop, "catalog")


@carts.parametrize()
@few
def test_carts(case: Case, shop: RealShop) -> None:
    judge(case, shop, "carts")


@orders.parametrize()
@few
def test_orders(case: Case, shop: RealShop) -> None:
    judge(case, shop, "orders")


@accounts.parametrize()
@few
def test_accounts(case: Case, shop: RealShop) -> None:
    judge(case, shop, "accounts")


def judge(case: Case, shop: RealShop, name: str) -> None:
    answer = answered(case, shop, name)
    left_out = {
        # Schemathesis spells lists of objects in forms its own way.
        "positive_data_acceptance": case.media_type in FORMS or breaks_a_rule(answer),
        "negative_data_rejection": is_loose(case),
    }
    judges = [judge for each, judge in JUDGES.items() if not left_out.get(each)]
    case.validate_response(answer, checks=judges)


def breaks_a_rule(answer: httpx.Response) -> bool:
    """What a JSON schema can not say; a 400 for anything else that it allows is a failure."""
    if answer.status_code != 400:
        return False
    said = answer.json()
    errors = said.get("errors", {"detail": [said["detail"]]}).items()
    reasons = [f"{field}: {problem}" for field, problems in errors for problem in problems]
    return said["code"] in RULES or all(map(SENTENCES.search, reasons))


def is_loose(case: Case) -> bool:
    """An empty word in a query is one left out; so is an empty field of a form, which is text."""
    has_an_empty_word = "" in (case.query or {}).values()
    return has_an_empty_word or case.media_type in FORMS


def answered(case: Case, shop: RealShop, name: str) -> httpx.Response:
    base = f"http://shop{shop_settings.PREFIXES[name]}"
    known = case.as_transport_kwargs(base_url=base)
    fields = {name: known[name] for name in PARTS if name in known}
    wanted = requests.Request(**fields).prepare()
    headers = dict(wanted.headers)
    if not has_bad_headers(case):
        headers |= caller_of(case, name)
    return shop.send(
        httpx.Request(wanted.method, wanted.url, headers=headers, content=wanted.body or b"")
    )


def has_bad_headers(case: Case) -> bool:
    """Among them that of the caller, which must not be made good then."""
    parts = case.meta.components if case.meta else {}
    headers = parts.get(ParameterLocation.HEADER)
    return headers is not None and headers.mode.is_negative


def caller_of(case: Case, name: str) -> dict[str, str]:
    """A service where only services may come, and an admin, who is a person too, elsewhere."""
    ways = case.operation.definition.raw.get("security", [])
    if ways and all("service" in way for way in ways):
        return callers.service("orders" if name != "orders" else "carts", name)
    return callers.admin("boss")


def test_an_answer_that_the_document_does_not_describe_is_found_out(shop: RealShop) -> None:
    case = carts["/cart/"]["GET"].Case()
    answer = Response.from_httpx(answered(case, shop, "carts"), verify=False)
    judges = list(JUDGES.values())
    case.validate_response(answer, checks=judges)
    answer.content = b'{"items": [], "total": "0"}'
    answer.clear_cache()

    with pytest.raises(FailureGroup, match="Response violates schema"):
        case.validate_response(answer, checks=judges)
