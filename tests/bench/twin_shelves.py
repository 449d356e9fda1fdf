"""The twin's lists: products by category, sorted each way, with their JSON beside them."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

SHOWN = ("product_id", "name", "category", "price")


@dataclass(frozen=True, slots=True)
class Row:
    product_id: UUID
    name: str
    price: float
    encoded: bytes


class Shelf:
    def __init__(self, products: list[dict[str, Any]]) -> None:
        self._sorted: dict[tuple[str, str], list[Row]] = {}
        for product in products:
            row = Row(
                UUID(product["product_id"]),
                product["name"],
                product["price"],
                orjson.dumps({name: product[name] for name in SHOWN}),
            )
            for key in ("name", "price"):
                self._sorted.setdefault((product["category"], key), []).append(row)
        for (_, key), rows in self._sorted.items():
            rows.sort(key=lambda row: (getattr(row, key), row.product_id))

    def page(
        self, category: str, sort_by: str, order: str, skip: int, limit: int
    ) -> tuple[list[Row], int]:
        rows = self._sorted.get((category, sort_by), [])
        if order == "desc":
            return rows[::-1][skip : skip + limit], len(rows)
        return rows[skip : skip + limit], len(rows)


def cursor_of(secret: str, scope: list[str], last: Row, sort_by: str, offset: int) -> str:
    """Signed as the shop's are; its text differs where the list is described in other words."""
    key = [str(getattr(last, sort_by)), last.product_id.hex, offset]
    payload = orjson.dumps(key)
    message = b"cursor\x00" + orjson.dumps(scope) + b"\x00" + payload
    signature = hmac.digest(secret.encode(), message, "sha256")[:12]
    return urlsafe_b64encode(signature + payload).decode()
