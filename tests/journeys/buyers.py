"""People who use the shop over HTTP, with the few words that journeys are told in."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

JSON = dict[str, Any]


@dataclass
class Buyer:
    """Somebody who is logged in."""

    client: httpx.AsyncClient
    name: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    async def registered(cls, client: httpx.AsyncClient) -> "Buyer":
        name = f"buyer_{uuid4().hex[:12]}"
        person = {"full_name": "A Buyer", "phone": "+7 999 000-00-00", "password": "a password"}
        answer = await client.post("/user-api/users/register", json={"username": name, **person})
        assert answer.status_code == 201, answer.text
        return cls._with(client, name, answer.json()["access_token"])

    @classmethod
    async def logged_in(cls, client: httpx.AsyncClient, name: str, password: str) -> "Buyer":
        form = {"username": name, "password": password}
        answer = await client.post("/user-api/token", data=form)
        assert answer.status_code == 200, answer.text
        return cls._with(client, name, answer.json()["access_token"])

    @classmethod
    def _with(cls, client: httpx.AsyncClient, name: str, token: str) -> "Buyer":
        return cls(client, name, {"Authorization": f"Bearer {token}"})

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.put(path, headers=self.headers, **options)

    async def add(self, product_id: str, quantity: int = 1) -> httpx.Response:
        line = {"product_id": product_id, "quantity": quantity}
        return await self.client.post("/cart-api/cart/items", json=line, headers=self.headers)

    async def check_out(self, *, key: str | None = None) -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return await self.client.post("/cart-api/cart/checkout", headers=headers)

    async def cancel(self, order_id: str) -> httpx.Response:
        return await self.put(f"/order-api/orders/{order_id}/cancel")

    async def orders(self) -> list[JSON]:
        return list((await self.get("/order-api/orders/?limit=1000")).json())

    async def stock(self, product_id: str) -> int:
        return int((await self.get(f"/api/products/{product_id}")).json()["stock_count"])

    async def new_product(self, *, stock: int, price: float = 10.5) -> str:
        """For admins: puts something of its own into the catalogue."""
        product = {"name": f"Проба {uuid4().hex[:8]}", "category": "Пробы"}
        answer = await self.client.post(
            "/api/products/",
            json=product | {"price": price, "stock_count": stock},
            headers=self.headers,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["product_id"])
