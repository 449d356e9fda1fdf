"""The catalog and the orders service as carts sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from carts.domain import CheckoutIntent, Product, UnknownProduct
from store.errors import Conflict
from store.http import Answer, Peer, PeerAway

CATALOG_SECONDS = 1.0
ORDERS_SECONDS = 2.0

Order = Mapping[str, Any]
"""An order as the orders service shows it; carts passes it on as it is."""


class OrderRefused(Conflict):
    """What orders says for good about a checkout that becomes no order."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        known = {"detail", "code", "errors"}
        super().__init__(
            body.get("detail"),
            code=body.get("code"),
            errors=body.get("errors"),
            facts={name: fact for name, fact in body.items() if name not in known},
        )

    @property
    def prices(self) -> dict[UUID, Decimal]:
        """The present prices, where the refusal is about prices and names them."""
        prices = self.facts.get("prices")
        if not isinstance(prices, dict):
            return {}
        try:
            return {UUID(product_id): Decimal(price) for product_id, price in prices.items()}
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            return {}


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that stands under an intent's id.

    ``is_new``: made by this very call. ``is_as_meant``: it bought what the intent meant to buy.
    """

    order: Order
    is_new: bool
    is_as_meant: bool


class CatalogClient:
    def __init__(self, peer: Peer, *, seconds: float = CATALOG_SECONDS) -> None:
        self._peer = peer
        self._seconds = seconds

    async def product(self, product_id: UUID) -> Product:
        """Raises UnknownProduct, or PeerAway."""
        answer = await self._peer.call("GET", f"/products/{product_id}", timeout=self._seconds)
        if answer.status == 404:
            raise UnknownProduct
        match _trusted(self._peer, answer).value():
            case {
                "name": str(name),
                "price": int() | Decimal() as price,
                "stock_count": int(stock_count),
            }:
                return Product(product_id, name, Decimal(price), stock_count)
        raise PeerAway(self._peer.name, sent=True)


class OrdersClient:
    def __init__(self, peer: Peer, *, seconds: float = ORDERS_SECONDS) -> None:
        self._peer = peer
        self._seconds = seconds

    async def place(self, intent: CheckoutIntent) -> Placed:
        """Has the order made, or learns what became of it; the call may be repeated.

        Raises OrderRefused or PeerRefused when there is none and will be none, and PeerAway
        when that is not known; with ``sent`` False this call has certainly changed nothing.
        """
        request = _order_request(intent)
        answer = await self._peer.call(
            "POST", "/orders/", timeout=self._seconds, user=intent.user, json=request
        )
        if answer.status == 409 and isinstance(answer.data, dict):
            raise OrderRefused(answer.data)
        order = _trusted(self._peer, answer).value()
        try:
            is_as_meant = _quantities(order) == intent.quantities
        except (AttributeError, KeyError, TypeError, ValueError):
            raise PeerAway(self._peer.name, sent=True) from None
        return Placed(order, is_new=answer.status == 201, is_as_meant=is_as_meant)

    async def find(self, user: str, order_id: UUID) -> Order | None:
        """The user's order with this id."""
        path = f"/orders/{order_id}"
        answer = await self._peer.call("GET", path, timeout=self._seconds, user=user)
        if answer.status in (403, 404):
            return None
        order = _trusted(self._peer, answer).value()
        if not isinstance(order, dict):
            raise PeerAway(self._peer.name, sent=True)
        return order


def _trusted(peer: Peer, answer: Answer) -> Answer:
    """Passes on what the peer says about the request, but not what it says about this service.

    While keys change, a peer may not know ours yet: its 401 is not for the client to see. The
    same goes for an address where something else answers.
    """
    if answer.status not in (200, 201, 400, 409):
        raise PeerAway(peer.name, sent=answer.status < 400)
    return answer


def _order_request(intent: CheckoutIntent) -> dict[str, object]:
    return {
        "id": intent.order_id,
        "items": [
            {"product_id": line.product_id, "quantity": line.quantity, "price": line.price}
            for line in intent.lines
        ],
        "total": intent.total,
        "valid_until": intent.valid_until,
    }


def _quantities(order: Order) -> dict[UUID, int]:
    return {UUID(item["product_id"]): item["quantity"] for item in order["items"]}
