"""A catalog and an accounts service on the wire that misbehave when they are told to."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from store import wire
from store.breaker import Breaker
from store.http import Peer

STATES = {"sold": "sold", "return": "returned", "release": "released"}
START = datetime(2026, 7, 25, 19, 0, tzinfo=UTC)

Serve = Callable[[httpx.Request], Awaitable[httpx.Response]]
Fault = Callable[[httpx.Request, Serve], Awaitable[httpx.Response]]


async def refuses_connections(request: httpx.Request, serve: Serve) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def times_out_after_applying(request: httpx.Request, serve: Serve) -> httpx.Response:
    await serve(request)
    raise httpx.ReadTimeout("slow", request=request)


async def times_out_before(request: httpx.Request, serve: Serve) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


async def fails(request: httpx.Request, serve: Serve) -> httpx.Response:
    return httpx.Response(500, json={"detail": "broken"})


async def speaks_html(request: httpx.Request, serve: Serve) -> httpx.Response:
    return httpx.Response(200, html="<h1>It works!</h1>")


async def makes_no_sense(request: httpx.Request, serve: Serve) -> httpx.Response:
    return httpx.Response(200, json={"state": "held", "items": [{"product_id": 5}]})


async def speaks_of_another_product(request: httpx.Request, serve: Serve) -> httpx.Response:
    item = {"product_id": str(UUID(int=1)), "name": "Шар", "price": 1, "quantity": 1}
    return httpx.Response(200, json={"state": "held", "items": [item]})


def answers(status: int, code: str = "whatever", **facts: object) -> Fault:
    async def answer(request: httpx.Request, serve: Serve) -> httpx.Response:
        return httpx.Response(status, json={"detail": "No.", "code": code, **facts})

    return answer


@dataclass
class Time:
    """Stands still until a test moves it."""

    present: datetime = START

    def __call__(self) -> datetime:
        return self.present

    def go_on(self, seconds: float) -> datetime:
        self.present += timedelta(seconds=seconds)
        return self.present

    async def sleep(self, seconds: float) -> None:
        self.go_on(seconds)
        await asyncio.sleep(0)


class FakeService:
    """Serves by ``verb_...`` methods; the next requests meet ``faults``, one each."""

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.fault: Fault | None = None
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        fault = self.faults.popleft() if self.faults else self.fault
        return await (fault(request, self.serve) if fault else self.serve(request))

    async def serve(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def peer(self, name: str) -> Peer:
        transport = httpx.MockTransport(self)
        # Breakers live in real time, and these worlds in their own.
        never = Breaker(most=1_000_000)
        return Peer(name, caller="orders", transport=transport, breaker=never)


@dataclass
class Product:
    price: Decimal
    stock: int
    name: str = "Чайник"


@dataclass
class Reservation:
    user_id: str | None
    quantities: dict[UUID, int]
    state: str
    moves: list[str] = field(default_factory=list)


class FakeCatalog(FakeService):
    """Keeps the books of its products; each reservation remembers what was done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.products: dict[UUID, Product] = {}
        self.reservations: dict[UUID, Reservation] = {}

    def state(self, order_id: UUID) -> str | None:
        reservation = self.reservations.get(order_id)
        return reservation.state if reservation else None

    def hold(self, order_id: UUID, product_id: UUID, *, user_id: str = "alice") -> None:
        self.products[product_id].stock -= 1
        self.reservations[order_id] = Reservation(user_id, {product_id: 1}, "held")

    async def serve(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.partition("/reservations")[2].strip("/").split("/")
        if not parts[0]:
            return self._list()
        if parts[0] == "moves":
            return self._move_all(wire.decode(request.content)["moves"])
        order_id = UUID(parts[0])
        if request.method == "PUT":
            return self._reserve(order_id, wire.decode(request.content))
        return self._move(order_id, STATES[parts[1] if len(parts) > 1 else "release"])

    def _list(self) -> httpx.Response:
        held = [
            {"order_id": str(order_id), "user_id": reservation.user_id, "state": "held"}
            for order_id, reservation in self.reservations.items()
            if reservation.state == "held"
        ]
        return httpx.Response(200, json={"items": held, "next_cursor": None})

    def _reserve(self, order_id: UUID, body: dict[str, Any]) -> httpx.Response:
        quantities = {UUID(item["product_id"]): item["quantity"] for item in body["items"]}
        if order_id not in self.reservations:
            if refusal := self._refusal(quantities):
                return refusal
            for product_id, quantity in quantities.items():
                self.products[product_id].stock -= quantity
            self.reservations[order_id] = Reservation(body["user_id"], quantities, "held")
        reservation = self.reservations[order_id]
        if reservation.state not in ("held", "sold"):
            return httpx.Response(409, json={"detail": "Over.", "code": "reservation_closed"})
        items = [self._item(product_id, number) for product_id, number in quantities.items()]
        answer = {"order_id": str(order_id), "state": reservation.state, "items": items}
        return httpx.Response(200, content=wire.encode(answer))

    def _item(self, product_id: UUID, quantity: int) -> dict[str, object]:
        product = self.products[product_id]
        named = {"product_id": product_id, "name": product.name}
        return named | {"price": product.price, "quantity": quantity}

    def _refusal(self, quantities: dict[UUID, int]) -> httpx.Response | None:
        if quantities.keys() - self.products.keys():
            return httpx.Response(409, json={"detail": "Gone.", "code": "product_unavailable"})
        short = {
            str(product_id): self.products[product_id].stock
            for product_id, quantity in quantities.items()
            if self.products[product_id].stock < quantity
        }
        body = {"detail": "Short.", "code": "insufficient_stock", "available": short}
        body["errors"] = {product_id: [f"{left} left."] for product_id, left in short.items()}
        return httpx.Response(409, json=body) if short else None

    def _move_all(self, moves: list[dict[str, str]]) -> httpx.Response:
        for each in moves:
            self._move(UUID(each["order_id"]), STATES[each["move"]])
        return httpx.Response(200, json={"items": []})

    def _move(self, order_id: UUID, state: str) -> httpx.Response:
        reservation = self.reservations.setdefault(order_id, Reservation(None, {}, state))
        reservation.moves.append(state)
        allowed = {"held": {"sold", "returned", "released"}, "sold": {"returned"}}
        if state in allowed.get(reservation.state, ()):
            reservation.state = state
            if state != "sold":
                for product_id, quantity in reservation.quantities.items():
                    self.products[product_id].stock += quantity
        return httpx.Response(200, json={"state": reservation.state})


class FakeAccounts(FakeService):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[dict[str, Any]] = []

    def statuses_of(self, order_id: UUID) -> list[str]:
        return [news["status"] for news in self.news if news["order_id"] == str(order_id)]

    async def serve(self, request: httpx.Request) -> httpx.Response:
        body = wire.decode(request.content)
        self.news += body["updates"] if request.url.path.endswith("statuses") else [body]
        return httpx.Response(200, json={"message": "ok"})
