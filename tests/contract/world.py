"""The shop as the contract's tests see it: its people, its things, and everything it shows."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from prometheus_client import REGISTRY

from tests.contract import callers
from tests.contract.operations import Operation
from tests.store.connection import Connection

PASSWORD = "correct horse"
PRICE = 10.5
# Of what /metrics shows: all of it takes longer than the rest of what is looked at.
COUNTERS = REGISTRY.restricted_registry(
    {
        "users_registered_total",
        "orders_created_total",
        "orders_status_total",
        "order_revenue_cents_total",
        "checkouts_total",
        "items_added_to_cart_total",
        "reservations_unknown_total",
    }
)
WAITING = REGISTRY.restricted_registry({"outbox_pending"})
STATES = ("held", "sold", "returned", "released")


@dataclass(frozen=True)
class Things:
    """Something of everything, fresh, for requests that speak of it."""

    owner: str
    product: str
    line: str
    order: str
    reservation: str


class World:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.watched: list[str] = []  # addresses of what lists show in part, or not for long

    async def register(self, username: str, *, is_admin: bool = False) -> None:
        body = {
            "username": username,
            "full_name": "Алиса Лидделл",
            "phone": "+7 (999) 000-00-00",
            "password": PASSWORD,
            "is_admin": is_admin,
        }
        await self.ok("POST", "/user-api/users/register", json=body, headers=callers.admin())

    async def product(self, *, stock: int = 100, price: float = PRICE, **fields: Any) -> str:
        body = {"name": "Чай чёрный", "category": "Чай", "price": price, "stock_count": stock}
        answer = await self.ok(
            "POST", "/api/products/", json=body | fields, headers=callers.admin()
        )
        return str(answer["product_id"])

    async def add(self, product: str, quantity: int = 1, *, to: str) -> Any:
        body = {"product_id": product, "quantity": quantity}
        return await self.ok("POST", "/cart-api/cart/items", json=body, headers=callers.user(to))

    async def order(self, product: str, quantity: int = 1, *, of: str) -> Any:
        """An order placed by its buyer, of a product at the usual price."""
        body, headers = order_of(product, quantity), callers.user(of)
        return await self.ok("POST", "/order-api/orders/", json=body, headers=headers)

    async def reservation(self, product: str, *, of: str) -> str:
        order_id = str(uuid4())
        body = {"user_id": of, "items": [{"product_id": product, "quantity": 1}]}
        headers = callers.service("orders", "catalog")
        await self.ok("PUT", f"/api/reservations/{order_id}", json=body, headers=headers)
        return order_id

    async def empty_cart(self, of: str) -> None:
        await self.ok("DELETE", "/cart-api/cart/", headers=callers.user(of))

    async def things(self, owner: str) -> Things:
        """With nothing else in the owner's cart."""
        product = await self.product()
        return Things(
            owner=owner,
            product=product,
            line=await self._only_line(product, in_cart_of=owner),
            order=(await self.order(product, of=owner))["id"],
            reservation=await self.reservation(product, of=owner),
        )

    async def things_for(self, operation: Operation, owner: str) -> Things:
        """Those that matter to the operation alone; a full cart for all that may look at it."""
        product, line, order, reservation = await self.product(), "", "", ""
        if operation.service in ("carts", "accounts"):
            line = await self._only_line(product, in_cart_of=owner)
        if operation.service == "orders" and "{order_id}" in operation.path:
            order = (await self.order(product, of=owner))["id"]
        if operation.service == "catalog" and "{order_id}" in operation.path:
            reservation = await self.reservation(product, of=owner)
        return Things(owner, product, line, order, reservation)

    async def _only_line(self, product: str, *, in_cart_of: str) -> str:
        await self.empty_cart(in_cart_of)
        return str((await self.add(product, to=in_cart_of))["id"])

    async def ok(self, verb: str, url: str, **options: Any) -> Any:
        """The data of an answer that has to be a good one."""
        answer = await self.client.request(verb, url, **options)
        assert answer.status_code < 300, f"{verb} {url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, url: str, headers: callers.Headers | None = None) -> Any:
        return await self.ok("GET", url, headers=headers or callers.admin())

    async def send(self, operation: Operation, url: str, **options: Any) -> int:
        """The status of an answer; an event stream is left as soon as it has begun."""
        if operation.is_stream:
            return await _first_status(operation.verb, url, options["headers"])
        answer = await self.client.request(operation.verb, url, **options)
        return answer.status_code

    async def settle(self) -> None:
        """Until the news of all orders have arrived."""
        async with asyncio.timeout(5):
            while any(sample.value for sample in _samples(WAITING)):
                await asyncio.sleep(0.002)

    async def seen(self) -> dict[str, Any]:
        """All that a client can see of what the shop keeps."""
        admins = (
            "/api/products/",
            "/api/products/categories/list",
            "/cart-api/carts/",
            "/order-api/orders/",
            "/user-api/users/me",
            "/user-api/users/me/notifications",
            "/cart-api/products/recent-views",
        )
        shown = {url: await self.get(url) for url in admins}
        for url in self.watched:
            shown[url] = await self.get(url)
        for state in STATES:
            url = f"/api/reservations/?state={state}&limit=1000"
            shown[url] = await self.get(url, callers.service("orders", "catalog"))
        counts = [(sample.name, sample.labels, sample.value) for sample in _samples(COUNTERS)]
        return shown | {"counters": counts}


def said(answer: httpx.Response) -> tuple[int, str]:
    """Status and machine word of an error."""
    return answer.status_code, answer.json()["code"]


def order_of(product: str, quantity: int = 1, price: float = PRICE) -> dict[str, object]:
    """The body of an order."""
    line = {"product_id": product, "quantity": quantity, "price": price}
    return {"items": [line], "total": price * quantity}


def _samples(registry: Any) -> Iterator[Any]:
    """But not when a counter was made."""
    for family in registry.collect():
        yield from (each for each in family.samples if not each.name.endswith("_created"))


async def _first_status(verb: str, url: str, headers: callers.Headers) -> int:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    connection = Connection(verb, url, headers=raw)
    running = asyncio.ensure_future(connection.run())
    while not connection.sent:
        await asyncio.sleep(0)
    connection.leave()
    await running
    return connection.status
