"""The customers of the drill: as patient as people, and as pushy."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from store.tokens import user_token

PATIENCE_SECONDS = 25.0
PAUSE_SECONDS = 0.2
REQUEST_SECONDS = 10.0
# What a shop in trouble says; whoever asks again gets a definite answer in the end.
LATER = {429, 502, 503, 504}
PRICE = 19.9


class NoAnswer(Exception):
    """The shop gave no definite answer, or one that no shop of ours gives."""


@dataclass(slots=True)
class Door:
    """Where customers come in: the gateway, or the services themselves."""

    client: httpx.AsyncClient
    addresses: Mapping[str, str]
    asked_again: int = 0

    async def send(
        self, method: str, service: str, path: str, *, headers: Mapping[str, str], json: Any = None
    ) -> httpx.Response:
        """The first definite answer; only for what may be repeated. Raises NoAnswer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = await self.once(method, service, path, headers=headers, json=json)
            if answer is not None:
                return answer
            self.asked_again += 1
            await asyncio.sleep(PAUSE_SECONDS)
        raise NoAnswer(f"{method} {path} of {service}: nothing within {PATIENCE_SECONDS:g} s.")

    async def once(
        self, method: str, service: str, path: str, **options: Any
    ) -> httpx.Response | None:
        """None for no definite answer."""
        url = self.addresses[service] + path
        try:
            answer = await self.client.request(method, url, timeout=REQUEST_SECONDS, **options)
        except httpx.TransportError:
            return None
        return None if answer.status_code in LATER else answer


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with a token of the shop; accounts knows the name only from the orders' news."""

    name: str
    door: Door
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def named(cls, name: str, door: Door, *, role: str = "user") -> "Customer":
        token, _ = user_token(name, role == "admin")
        return cls(name, door, {"Authorization": f"Bearer {token}"})

    async def ask(self, method: str, service: str, path: str, json: Any = None) -> Any:
        """The data of an answer that has to be a good one."""
        answer = await self.door.send(method, service, path, headers=self.headers, json=json)
        if answer.is_error:
            raise NoAnswer(f"{method} {path} of {service}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def put_in(self, product: str) -> None:
        """One piece, once: an answer that got lost may have put it in already."""
        line = {"product_id": product, "quantity": 1}
        while not (await self.ask("GET", "carts", "/cart/"))["items"]:
            answer = await self.door.once(
                "POST", "carts", "/cart/items", headers=self.headers, json=line
            )
            if answer is not None and answer.is_error:
                raise NoAnswer(f"An item for the cart: {answer.status_code} {answer.text}")
            if answer is not None:
                return

    async def check_out(self, key: str | None = None) -> httpx.Response:
        headers = dict(self.headers) | ({"Idempotency-Key": key} if key else {})
        return await self.door.send("POST", "carts", "/cart/checkout", headers=headers)

    async def orders(self) -> list[Any]:
        return list(await self.ask("GET", "orders", "/orders/?limit=1000"))


class Company:
    """Everybody and everything of one drill, under names by which they are known again."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.run = f"prove_{uuid4().hex[:6]}"
        self.admin = Customer.named(f"{self.run}_boss", door, role="admin")
        self.customers: list[Customer] = []
        self.products: dict[str, int] = {}

    def hire(self, count: int) -> list[Customer]:
        first = len(self.customers)
        names = [f"{self.run}_{number:03d}" for number in range(first, first + count)]
        hired = [Customer.named(name, self.door) for name in names]
        self.customers += hired
        return hired

    async def new_product(self, stock: int) -> str:
        name = f"Drill {self.run} {len(self.products)}"
        facts = {"name": name, "category": "Drill", "price": PRICE, "stock_count": stock}
        product = (await self.admin.ask("POST", "catalog", "/products/", facts))["product_id"]
        self.products[product] = stock
        return str(product)

    async def left(self, product: str) -> int:
        """How many are in stock."""
        return int((await self.admin.ask("GET", "catalog", f"/products/{product}"))["stock_count"])
