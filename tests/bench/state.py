"""What a benchmark of reads looks at: a person with a filled cart and a few orders."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import orjson

from tests.bench.servers import SECONDS_TO_START, SECRET_KEY

CATEGORY = "Молочные продукты"
USER, PASSWORD = "swagger_user", "password123"
ORDERS = 3
BUYERS = 200  # a cart holds a thousand of one product


@dataclass(frozen=True)
class Looked:
    """The paths that are read, the headers they are read with, and an item to put into a cart."""

    paths: dict[str, tuple[str, str]]  # by figure: service, path
    headers: dict[str, str]
    new_item: bytes
    buyers: list[str]


def fill(urls: dict[str, str]) -> Looked:
    """Buys in a running shop, and leaves three things in the cart."""
    with httpx.Client(timeout=SECONDS_TO_START) as client:
        client.headers["Authorization"] = f"Bearer {_token(client, urls['accounts'])}"
        found = _get(
            client, urls["catalog"], f"/products/?category={quote(CATEGORY)}&in_stock=true"
        )
        wanted = [item["product_id"] for item in found["items"][:3]]
        plenty = _plenty(client, urls["catalog"])
        for _ in range(ORDERS):
            _put_into_cart(client, urls["carts"], wanted)
            client.post(urls["carts"] + "/cart/checkout").raise_for_status()
        _put_into_cart(client, urls["carts"], wanted)
        headers = {"Authorization": client.headers["Authorization"]}
    query = f"category={quote(CATEGORY)}&limit=20&sort_by=price"
    return Looked(
        paths={
            "product": ("catalog", f"/products/{wanted[0]}"),
            "page of 20": ("catalog", f"/products/?{query}"),
            "cart": ("carts", "/cart/"),
            "orders": ("orders", "/orders/"),
            "users/me": ("accounts", "/users/me"),
        },
        headers=headers,
        new_item=orjson.dumps({"product_id": plenty, "quantity": 1}),
        buyers=[authorization(f"bench_{number}") for number in range(BUYERS)],
    )


def keep_for_twin(urls: dict[str, str], looked: Looked, file: Path) -> None:
    """Everything that the twin has to hold to give the same answers."""
    with httpx.Client(headers=looked.headers, timeout=SECONDS_TO_START) as client:
        products = [
            _get(client, urls["catalog"], f"/products/{product_id}")
            for product_id in _ids(client, urls["catalog"])
        ]
        held: dict[str, Any] = {
            "products": products,
            "user": USER,
            "cart": _get(client, urls["carts"], "/cart/")["items"],
            "orders": _get(client, urls["orders"], "/orders/"),
            "me": _get(client, urls["accounts"], "/users/me"),
        }
    file.write_bytes(orjson.dumps(held))


def same_answer(one: bytes, other: bytes) -> bool:
    """Byte for byte, but for the text of a cursor: each side signs its own, of one length or so."""
    first, second = orjson.loads(one), orjson.loads(other)
    for answer in (first, second):
        if isinstance(answer, dict) and answer.get("next_cursor"):
            answer["next_cursor"] = "..."
    return orjson.dumps(first) == orjson.dumps(second)


def _token(client: httpx.Client, accounts: str) -> str:
    form = {"username": USER, "password": PASSWORD}
    return str(
        client.post(accounts + "/token", data=form).raise_for_status().json()["access_token"]
    )


def authorization(user: str, *, is_admin: bool = False) -> str:
    """The header of somebody of a shop for benchmarks."""
    claims = {"sub": user, "is_admin": is_admin, "exp": int(time.time()) + 900}
    return f"Bearer {jwt.encode(claims, SECRET_KEY, 'HS256')}"


def _plenty(client: httpx.Client, catalog: str) -> str:
    """A new product that will not run out."""
    product = {"name": "Молоко, цистерна", "category": CATEGORY, "price": 1, "stock_count": 10**9}
    answer = client.post(f"{catalog}/products/", json=product, headers={"admin": "true"})
    return str(answer.raise_for_status().json()["product_id"])


def _get(client: httpx.Client, url: str, path: str) -> Any:
    return client.get(url + path).raise_for_status().json()


def _ids(client: httpx.Client, catalog: str) -> Iterator[str]:
    """Of all products of the category, page by page."""
    cursor: str | None = ""
    while cursor is not None:
        page = _get(client, catalog, f"/products/?category={quote(CATEGORY)}{cursor}")
        yield from (item["product_id"] for item in page["items"])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"


def _put_into_cart(client: httpx.Client, carts: str, products: list[str]) -> None:
    for product_id in products:
        item = {"product_id": product_id, "quantity": 1}
        client.post(carts + "/cart/items", json=item).raise_for_status()
