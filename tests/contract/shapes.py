"""The forms of the contract's answers: exactly which keys, and what kind of value under each."""

import re
from typing import Any
from uuid import UUID

from tests.contract.rules import TIME

PRODUCT = {
    "product_id": "uuid",
    "name": "text",
    "category": "text",
    "price": "number",
    "stock_count": "number",
    "description": "text",
    "manufacturer": "text",
}
LISTED_PRODUCT = {name: PRODUCT[name] for name in ("product_id", "name", "category", "price")}
PAGE = {
    "items": [LISTED_PRODUCT],
    "total": "number",
    "page": "number",
    "pages": "number",
    "has_next": "switch",
    "has_prev": "switch",
    "next_cursor": "null",
}
CART_LINE = {
    "id": "uuid",
    "product_id": "uuid",
    "name": "text",
    "price": "number",
    "quantity": "number",
    "total_price": "number",
}
CART = {"items": [CART_LINE], "total": "number"}
BOUGHT = {"product_id": "uuid", "name": "text", "price": "number", "quantity": "number"}
ORDER = {
    "id": "uuid",
    "user_id": "text",
    "items": [BOUGHT],
    "total": "number",
    "status": "text",
    "created_at": "time",
    "updated_at": "time",
}
USER = {
    "username": "text",
    "full_name": "text",
    "phone": "text",
    "id": "user number",
    "created_at": "time",
    "total_spent": "number",
    "is_admin": "switch",
}
TOKEN = {"access_token": "text", "token_type": "text", "expires_in": "number"}
NEWS = {"order_id": "uuid", "status": "text", "updated_at": "time", "total": "number"}
MESSAGE = {"message": "text"}
RESERVATION = {"order_id": "uuid", "state": "text", "items": [BOUGHT]}
SETTLED = {"order_id": "uuid", "state": "text"}


def shape(value: Any) -> Any:
    """Kinds in place of values; a list is as its items are, which are all alike."""
    match value:
        case dict():
            return {name: shape(each) for name, each in value.items()}
        case list():
            kinds = [shape(each) for each in value]
            assert all(kind == kinds[0] for kind in kinds), kinds
            return kinds[:1]
        case None:
            return "null"
        case bool():
            return "switch"
        case int() | float():
            return "number"
        case str():
            return _kind_of_text(value)
    raise AssertionError(f"what is {value!r}?")


def _kind_of_text(text: str) -> str:
    if TIME.fullmatch(text):
        return "time"
    if re.fullmatch(r"[0-9]{8}", text):
        return "user number"
    try:
        return "uuid" if str(UUID(text)) == text else "text"
    except ValueError:
        return "text"
