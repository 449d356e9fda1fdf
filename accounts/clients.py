"""Carts and orders as accounts sees them, each call under a deadline; odd answers are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.domain import PeerMakesNoSense
from store.http import Answer, Peer

# The gateway waits 10 s, checkout inside carts takes at most 5: 7 lie between.
CHECKOUT_SECONDS = 7.0
READ_SECONDS = 5.0
# Orders end minutes after their delivery: one page of this size holds all of anybody's.
PROFILE_ORDERS = 1000


@dataclass(frozen=True, slots=True)
class OrderSummary:
    id: str
    status: str
    total: int | Decimal
    created_at: str


class CartsClient:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def cart(self, username: str, *, seconds: float = READ_SECONDS) -> dict[str, Any]:
        answer = await self._peer.call("GET", "/cart/", timeout=seconds, user=username)
        match answer.value():
            case {"items": list(), "total": total} as cart if _is_amount(total):
                return dict(cart)
        raise PeerMakesNoSense("carts")

    async def checkout(self, username: str, *, key: str | None) -> Answer:
        """The whole answer, its headers included. Raises PeerRefused."""
        headers = {} if key is None else {"Idempotency-Key": f'"{key}"'}
        answer = await self._peer.call(
            "POST", "/cart/checkout", timeout=CHECKOUT_SECONDS, user=username, headers=headers
        )
        match answer.value():
            case {"id": str()}:
                return answer
        raise PeerMakesNoSense("carts")


class OrdersClient:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def orders(
        self, username: str, params: Mapping[str, str], *, seconds: float = READ_SECONDS
    ) -> Answer:
        """One page, newest first; its headers link the next. Raises PeerRefused."""
        answer = await self._peer.call(
            "GET", "/orders/", timeout=seconds, user=username, params=params
        )
        match answer.value():
            case list():
                return answer
        raise PeerMakesNoSense("orders")

    async def summaries(self, username: str, *, seconds: float) -> list[OrderSummary]:
        params = {"limit": str(PROFILE_ORDERS)}
        answer = await self.orders(username, params, seconds=seconds)
        return [_summary(order) for order in answer.data]


def _summary(order: object) -> OrderSummary:
    match order:
        case {
            "id": str() as id,
            "status": str() as status,
            "total": total,
            "created_at": str() as created_at,
        } if _is_amount(total):
            return OrderSummary(id, status, total, created_at)
    raise PeerMakesNoSense("orders")


def _is_amount(value: object) -> bool:
    """A JSON number; to Python ``true`` is an int, too."""
    return type(value) in (int, Decimal)
