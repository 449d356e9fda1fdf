"""A valid request for each operation, made from its schema and a few words about the shop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.contract import callers
from tests.contract.operations import Operation, Schema
from tests.contract.world import PASSWORD, PRICE, Things

WORDS = {
    "full_name": "Алиса Лидделл",
    "phone": "+7 (999) 000-00-00",
    "password": PASSWORD,
    "price": PRICE,
    "total": PRICE,
    "quantity": 1,
    "status": "PROCESSING",
}
# Where a field means something of its own.
SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "accounts POST /token": {"username": "owner"},
    "accounts POST /users/verify": {"username": "owner"},
    "accounts GET /users/me/orders": {"limit": 10},
}
# What the documents do not tell: fields for services at an operation that is for users as well.
UNDOCUMENTED: Mapping[str, Schema] = {
    "orders POST /orders/": {
        "id": {"type": "string", "format": "uuid"},
        "valid_until": {"type": "string", "format": "date-time"},
    }
}


@dataclass(frozen=True)
class Example:
    url: str
    headers: dict[str, str] = field(repr=False)
    query: dict[str, Any]
    body: Any


def example(operation: Operation, things: Things) -> Example:
    """A request that is answered with 2xx, from an admin who owns the things, or a service."""
    words = _words(things) | SPECIAL.get(operation.name, {})
    ids = {name: _id(name, operation, things) for name in operation.path_parameters}
    query = {
        name: value(schema, words, name)
        for name, schema in operation.query.items()
        if name != "cursor"
    }
    return Example(
        url=operation.url(**ids),
        headers=headers_of(operation, things.owner),
        query=query,
        body=None if operation.body is None else value(operation.body, words),
    )


def headers_of(operation: Operation, owner: str) -> dict[str, str]:
    """An admin may do everything but what is for services alone, or known to them alone."""
    if operation.name in UNDOCUMENTED:
        return callers.service("carts", operation.service, acting_for=owner)
    if operation.services:
        caller = "orders" if "orders" in operation.services else operation.services[0]
        return callers.service(caller, operation.service, acting_for=owner)
    return callers.admin(owner)


def value(schema: Schema, words: Mapping[str, Any], name: str = "") -> Any:
    """Any value that the schema allows; the word for its name, where there is one."""
    match schema:
        case {"type": "object"}:
            properties = schema.get("properties", {})
            return {key: value(each, words, key) for key, each in properties.items()}
        case {"type": "array", "items": items}:
            return [value(items, words)]
        case {"enum": [first, *rest]}:
            return words[name] if words.get(name) in [first, *rest] else first
    return words[name] if name in words else _plain(schema)


def _plain(schema: Schema) -> Any:
    match schema:
        case {"type": "boolean"}:
            return False
        case {"type": "integer" | "number"}:
            return int(schema.get("minimum", 0)) + 1
        case {"format": "uuid"}:
            return str(uuid4())
        case {"format": "date-time"}:
            return "2126-07-25T19:00:00Z"
    return "x" * max(1, int(schema.get("minLength", 1)))


def _words(things: Things) -> dict[str, Any]:
    names = {"username": f"user_{uuid4().hex[:8]}", "user_id": things.owner}
    return WORDS | names | {"product_id": things.product}


def _id(name: str, operation: Operation, things: Things) -> str:
    if name == "order_id":
        return things.order if operation.service == "orders" else things.reservation
    return {"product_id": things.product, "item_id": things.line, "category": "Чай"}[name]
