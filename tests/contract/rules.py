"""What holds of every answer, whatever was asked: asserted of each that a contract test gets."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

MONEY = {"price", "total", "total_price", "current_cart_total", "total_spent"}
IDS = {"product_id", "order_id"}
PROMISED_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
# Control characters are the only ones that JSON has to escape.
ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[01])")


async def check(response: httpx.Response) -> None:
    """To be hooked into a client."""
    await response.aread()
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Request-ID"]
    assert response.status_code < 500 or response.status_code == 503, response.text
    promised = PROMISED_HEADERS.get(response.status_code, "X-Request-ID")
    assert response.headers[promised], f"{promised} is missing"
    if response.status_code == 204 or response.request.method == "HEAD":
        return
    if response.headers["Content-Type"] == "application/json":
        _check_json(response)


def _check_json(response: httpx.Response) -> None:
    assert ESCAPED.search(response.content) is None, response.text
    data = decoded(response)
    if response.status_code >= 400:
        _check_error(data)
    for name, value in _members(data):
        _check_member(name, value)


def decoded(response: httpx.Response) -> Any:
    """The answer's JSON; its numbers with a point as Decimal."""
    return json.loads(response.content, parse_float=Decimal)


def _check_error(data: Any) -> None:
    if "database_connection" in data:
        return  # The catalog's health has a form of its own, also when it is bad.
    assert re.fullmatch(r"\S+ .*[.]", data["detail"], re.DOTALL), data
    assert re.fullmatch(r"[a-z][a-z0-9_]*", data["code"]), data
    assert "Traceback" not in data["detail"]
    for problems in data.get("errors", {"": ["none"]}).values():
        assert problems
        assert all(isinstance(problem, str) and problem for problem in problems)


def _check_member(name: str, value: Any) -> None:
    if name in MONEY:
        assert type(value) in (int, Decimal), (name, value)
        assert Decimal(value).as_tuple().exponent >= -2, (name, value)
    elif name.endswith("_at"):
        assert TIME.fullmatch(value), (name, value)
    elif name in IDS:
        assert str(UUID(value)) == value, (name, value)


def _members(data: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of everything in an answer that has a name, at any depth."""
    if isinstance(data, list):
        for each in data:
            yield from _members(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, dict | list):
                yield from _members(value)
            else:
                yield name, value
