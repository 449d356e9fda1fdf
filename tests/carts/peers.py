"""The catalog and the orders service as small real servers behind ``httpx.MockTransport``."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID, uuid4

import httpx

from carts.domain import Product
from store import http, wire

Behaviour = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
NOON = datetime(2026, 7, 25, 12, 0, tzinfo=UTC)


class Clock:
    """Says what time it is; a test sets it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FakeCatalog:
    """Knows products; ``hold`` makes it wait, ``behaviour`` makes it misbehave."""

    def __init__(self) -> None:
        self.products: dict[UUID, Product] = {}
        self.behaviour: Behaviour | None = None
        self.hold: asyncio.Event | None = None
        self.asked = 0

    def has(self, name: str = "Лампа", *, price: str = "99.99", stock_count: int = 100) -> Product:
        product = Product(uuid4(), name, Decimal(price), stock_count)
        self.products[product.id] = product
        return product

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.behaviour is not None:
            return await self.behaviour(request)
        product = self.products.get(UUID(request.url.path.rpartition("/")[2]))
        if product is None:
            return answer(404, {"detail": "No such product.", "code": "not_found"})
        return answer(200, _shown(product))


class FakeOrders:
    """Makes orders, each id once; ``script`` says how it treats the next attempts."""

    def __init__(self, clock: Clock) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.script: deque[Behaviour] = deque()
        self.attempts: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.finding: Behaviour = self.find
        self.clock = clock

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "GET":
            return await self.finding(request)
        self.attempts.append(wire.decode(request.content))
        behaviour = self.script.popleft() if self.script else self.accept
        return await behaviour(request)

    async def accept(self, request: httpx.Request) -> httpx.Response:
        asked = wire.decode(request.content)
        if asked["id"] in self.orders:
            return answer(200, self.orders[asked["id"]])
        if datetime.fromisoformat(asked["valid_until"]) < self.clock.now():
            return answer(409, {"detail": "Too late.", "code": "order_expired"})
        order = asked | {
            "user_id": request.headers["X-User-ID"],
            "status": "CREATED",
            "created_at": wire.instant(self.clock.now()),
        }
        self.orders[asked["id"]] = order
        return answer(201, order)

    async def lose_the_answer(self, request: httpx.Request) -> httpx.Response:
        await self.accept(request)
        raise httpx.ReadTimeout("lost")

    async def find(self, request: httpx.Request) -> httpx.Response:
        order = self.orders.get(request.url.path.rpartition("/")[2])
        if order is None:
            return answer(404, {"detail": "No such order.", "code": "not_found"})
        return answer(200, order)


class Gate:
    """Holds a request until the test opens it, then lets ``behaviour`` answer."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self._behaviour = behaviour

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.reached.set()
        await self._open.wait()
        return await self._behaviour(request)

    def open(self) -> None:
        self._open.set()


def answer(status: int, data: object) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return httpx.Response(status, content=wire.encode(data), headers=headers)


def answers(status: int, data: object) -> Behaviour:
    async def behaviour(request: httpx.Request) -> httpx.Response:
        return answer(status, data)

    return behaviour


async def answers_html(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<h1>Hello</h1>")


async def refuses_the_connection(request: httpx.Request) -> NoReturn:
    raise httpx.ConnectError("refused")


async def times_out(request: httpx.Request) -> NoReturn:
    raise httpx.ReadTimeout("too slow")


async def drops_the_connection(request: httpx.Request) -> NoReturn:
    raise httpx.RemoteProtocolError("closed without an answer")


async def hangs(request: httpx.Request) -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("Nobody waits for ever.")


def peer(name: str, handler: Behaviour) -> http.Peer:
    return http.Peer(name, caller="carts", transport=httpx.MockTransport(handler))


def _shown(product: Product) -> dict[str, object]:
    return {
        "product_id": product.id,
        "name": product.name,
        "category": "home",
        "price": product.price,
        "stock_count": product.stock_count,
        "description": None,
        "manufacturer": None,
    }
