"""The four running services as the audit reads them: over HTTP, page by page."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from audit.differences import Check
from store.http import Answer, Peer, PeerAway, PeerRefused

Row = dict[str, Any]

SECONDS = 10.0
# All that is asked may be asked again: a shop that is overrun for a moment is no shop that is away.
PAUSES_SECONDS = (0.2, 1.0)
# As many as one call may ask for; a page of orders with 100 lines each is some 3 MB.
PAGE = 300
_NEXT = re.compile(r'<\?([^>]*)>; rel="next"')


class CannotAsk(Exception):
    """A service that is away, refuses our token, or is not the service we took it for."""

    def __init__(self, service: str, why: object) -> None:
        super().__init__(f"The {service} service could not be asked: {why}")


@dataclass(frozen=True, slots=True)
class Entries:
    """What orders knows of some ids; all that ended after ``remembers_since`` is still known."""

    by_id: Mapping[str, Row]
    remembers_since: datetime


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything that is read raises CannotAsk."""

    catalog: Peer
    carts: Peer
    orders: Peer
    accounts: Peer

    @classmethod
    def of(cls, peers: Mapping[str, Peer]) -> "Shop":
        return cls(peers["catalog"], peers["carts"], peers["orders"], peers["accounts"])

    def books(self) -> AsyncIterator[Row]:
        """Pages of ``{"items", "sold_kept_seconds"}``."""
        return _pages(self.catalog, "/books/stock", limit="1000")

    def reservations(self, state: str, *, older_than: int = 0) -> AsyncIterator[Row]:
        return _pages(
            self.catalog,
            "/reservations/",
            state=state,
            older_than=str(older_than),
            limit=str(PAGE),
        )

    def checkouts(self) -> AsyncIterator[Row]:
        return _pages(self.carts, "/books/checkouts")

    def all_carts(self) -> AsyncIterator[Row]:
        return _pages(self.carts, "/carts/")

    def users(self) -> AsyncIterator[Row]:
        return _pages(self.accounts, "/books/users")

    async def all_orders(self) -> AsyncIterator[Sequence[Row]]:
        """Page by page, newest first."""
        params: dict[str, str] | None = {"limit": str(PAGE)}
        while params is not None:
            answer = await _answer(self.orders, "GET", "/orders/", params=params, as_admin=True)
            yield answer.data
            following = _NEXT.search(answer.headers.get("Link", ""))
            params = _query(following.group(1)) if following else None

    async def entries(self, order_ids: Iterable[str]) -> Entries:
        data = await _asked(self.orders, list(order_ids))
        by_id = {item["id"]: item for item in data["items"]}
        return Entries(by_id, datetime.fromisoformat(data["remembers_since"]))

    async def records(self, order_ids: Iterable[str]) -> Mapping[str, Row]:
        """What accounts heard of some orders."""
        data = await _asked(self.accounts, list(order_ids))
        return {item["order_id"]: item for item in data["items"]}

    async def tell(self, counts: Mapping[Check, int]) -> None:
        """Orders shows the outcome among its metrics."""
        checks = [{"check": check, "differences": count} for check, count in counts.items()]
        await _answer(self.orders, "PUT", "/books/audit", json={"checks": checks})


async def _pages(peer: Peer, path: str, **params: str) -> AsyncIterator[Row]:
    cursor: Any = ""
    while cursor is not None:
        asked = params | ({"cursor": str(cursor)} if cursor else {})
        page = (await _answer(peer, "GET", path, params=asked, as_admin=True)).data
        if not isinstance(page, dict) or "items" not in page:
            raise CannotAsk(peer.name, "what answers there is another program.")
        yield page
        cursor = page["next_cursor"]


async def _asked(peer: Peer, order_ids: Sequence[str]) -> Row:
    answer = await _answer(peer, "POST", "/books/orders", json={"ids": order_ids})
    if not isinstance(answer.data, dict):
        raise CannotAsk(peer.name, "what answers there is another program.")
    return answer.data


async def _answer(peer: Peer, method: str, path: str, **options: Any) -> Answer:
    for pause in (*PAUSES_SECONDS, None):
        try:
            answer = await peer.call(method, path, timeout=SECONDS, **options)
            answer.value()
        except PeerRefused as refusal:
            raise CannotAsk(peer.name, refusal.message) from None
        except PeerAway as away:
            if pause is None:
                raise CannotAsk(peer.name, away.message) from None
            await asyncio.sleep(pause)
        else:
            break
    return answer


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}
