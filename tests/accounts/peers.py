"""Carts and orders played by a function behind httpx's transport."""

import asyncio
from collections.abc import Callable

import httpx

from accounts.apps import accounts
from accounts.clients import CartsClient, OrdersClient
from accounts.services import Overview
from store.http import Peer

Handler = Callable[[httpx.Request], httpx.Response]

CART = {"items": [{"id": "1", "total_price": 20.5}], "total": 20.5}
ORDERS = [
    {
        "id": "6f9f3f6e-7f5e-4f0e-8f53-1d1f9b9a3c11",
        "user_id": "alice",
        "items": [],
        "total": 99.99,
        "status": "SHIPPING",
        "created_at": "2026-07-25T19:00:00Z",
        "updated_at": "2026-07-25T19:01:00Z",
    }
]


class Peers:
    """Answers for both services, and remembers what they were asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.cart: Handler = lambda _: httpx.Response(200, json=CART)
        self.orders: Handler = lambda _: httpx.Response(200, json=ORDERS)
        self.checkout: Handler = lambda _: httpx.Response(200, json=ORDERS[0])
        self.together = 0
        self._under_way = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self._under_way += 1
        self.together = max(self.together, self._under_way)
        await asyncio.sleep(0)
        self._under_way -= 1
        handlers = {"/cart/": self.cart, "/orders/": self.orders, "/cart/checkout": self.checkout}
        name = next(name for name in handlers if request.url.path.endswith(name))
        return handlers[name](request)

    def take_over(self, *, profile_seconds: float = 2.0) -> None:
        """Stands in for both services of the shop that is open."""
        transport = httpx.MockTransport(self)
        accounts().overview = Overview(
            CartsClient(Peer("carts", caller="accounts", transport=transport)),
            OrdersClient(Peer("orders", caller="accounts", transport=transport)),
            profile_seconds=profile_seconds,
        )


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def late(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("late", request=request)


def answering(status: int, body: bytes, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, content=body, headers=headers)
