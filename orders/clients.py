"""The catalog's stock and the accounts' notifications as orders sees them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from orders.domain import Offer, OutboxMessage, PendingOrder, StockMove
from orders.domain.errors import InsufficientStock, OrderExpired, ProductUnavailable
from store.errors import Conflict
from store.http import Answer, Peer, PeerAway

RESERVE_SECONDS = 1.0
DELIVER_SECONDS = 2.0

_MOVES = {
    StockMove.SOLD: ("POST", "/reservations/{}/sold"),
    StockMove.RETURN: ("POST", "/reservations/{}/return"),
    StockMove.RELEASE: ("DELETE", "/reservations/{}"),
}
_SAID = {"detail", "code", "errors"}
# What another attempt may mend: somebody has to put keys, clocks or routes in order first.
_LATER = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True, slots=True)
class Hold:
    """Stock that the catalog holds for an order."""

    order_id: UUID
    user_id: str


class Catalog:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def reserve(self, pending: PendingOrder) -> Mapping[UUID, Offer]:
        """Holds the stock, or says again that it is held, and tells names and prices.

        Raises a Conflict when there is no hold and will be none, and PeerAway when nobody knows;
        with ``sent`` False this call has certainly held nothing.
        """
        answer = await self._peer.call(
            "PUT",
            f"/reservations/{pending.id}",
            timeout=RESERVE_SECONDS,
            json={"user_id": pending.user_id, "items": _items(pending)},
        )
        if answer.status == HTTPStatus.CONFLICT:
            raise _refusal(answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise PeerAway(self._peer.name, sent=False)
        offers = _offers(answer.data)
        if offers is None or offers.keys() != {line.product_id for line in pending.lines}:
            raise PeerAway(self._peer.name, sent=True)
        return offers

    async def move(self, order_id: UUID, move: StockMove) -> None:
        """Settles a reservation; may be repeated. Raises PeerAway or PeerRefused."""
        verb, path = _MOVES[move]
        answer = await self._peer.call(verb, path.format(order_id), timeout=DELIVER_SECONDS)
        _definite(self._peer, answer)

    async def deliver(self, messages: Sequence[OutboxMessage]) -> None:
        """Moves of different orders; may be repeated. Raises PeerAway or PeerRefused."""
        if len(messages) == 1:
            await self.move(messages[0].order_id, StockMove(messages[0].kind))
            return
        moves = [{"order_id": each.order_id, "move": each.kind} for each in messages]
        answer = await self._peer.call(
            "POST", "/reservations/moves", timeout=DELIVER_SECONDS, json={"moves": moves}
        )
        _definite(self._peer, answer)

    async def held(self, *, older_than: int) -> AsyncIterator[Hold]:
        """The stock that is held for more than ``older_than`` seconds."""
        cursor: object = ""
        while cursor is not None:
            params = {"state": "held", "older_than": str(older_than)}
            params |= {"cursor": str(cursor)} if cursor else {}
            answer = await self._peer.call(
                "GET", "/reservations/", timeout=DELIVER_SECONDS, params=params
            )
            holds, cursor = self._holds(_definite(self._peer, answer))
            for hold in holds:
                yield hold

    def _holds(self, page: object) -> tuple[list[Hold], object]:
        match page:
            case {"items": list(items), "next_cursor": cursor}:
                return [_hold(item) for item in items], cursor
        raise PeerAway(self._peer.name, sent=True)


class Accounts:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def deliver(self, messages: Sequence[OutboxMessage]) -> None:
        """Tells of changes of status; may be repeated. Raises PeerAway or PeerRefused."""
        news = [message.payload for message in messages]
        path, body = (
            ("/users/notify/order-status", news[0])
            if len(news) == 1
            else ("/users/notify/order-statuses", {"updates": news})
        )
        answer = await self._peer.call("POST", path, timeout=DELIVER_SECONDS, json=body)
        _definite(self._peer, answer)


def _hold(item: Mapping[str, Any]) -> Hold:
    return Hold(UUID(item["order_id"]), str(item["user_id"]))


def _definite(peer: Peer, answer: Answer) -> Any:
    if answer.status in _LATER:
        raise PeerAway(peer.name, sent=True)
    return answer.value()


def _items(pending: PendingOrder) -> list[dict[str, object]]:
    return [{"product_id": line.product_id, "quantity": line.quantity} for line in pending.lines]


def _refusal(answer: Answer) -> Conflict:
    """The catalog's 409: sold out and gone are passed on; any other closes the id for good."""
    body = answer.data if isinstance(answer.data, dict) else {}
    for kind in (InsufficientStock, ProductUnavailable):
        if body.get("code") == kind.code:
            facts = {name: fact for name, fact in body.items() if name not in _SAID}
            return kind(errors=body.get("errors"), facts=facts)
    return OrderExpired()


def _offers(body: object) -> dict[UUID, Offer] | None:
    """None when the answer makes no sense."""
    match body:
        case {"state": "held" | "sold", "items": list(items)}:
            try:
                return dict(map(_offer, items))
            except (KeyError, TypeError, ValueError):
                return None
    return None


def _offer(item: Mapping[str, Any]) -> tuple[UUID, Offer]:
    name, price = item["name"], item["price"]
    if not isinstance(name, str) or type(price) not in (int, Decimal):
        raise TypeError
    return UUID(item["product_id"]), Offer(name, Decimal(price))
