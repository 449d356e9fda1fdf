"""Tidies up: stock held for no order goes back, what nobody makes any more is made on."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from orders import metrics
from orders.clients import Catalog, Hold
from orders.domain import (
    KEPT_AFTER_ITS_END,
    Destination,
    Final,
    Order,
    PendingOrder,
    Refusal,
    Status,
    StockMove,
    release,
)
from orders.domain.errors import OrderExpired
from orders.ledger import Ledger
from orders.placing import Placing
from orders.repositories import OrderRepository, Overtaken
from store.errors import Unavailable
from store.http import PeerAway, PeerRefused

log = logging.getLogger(__name__)

EVERY_SECONDS = 15.0
HELD_TOO_LONG_SECONDS = 60


class Sweeper:
    """Only orders can say which holds are orphans, so orders asks; the catalog calls nobody."""

    def __init__(
        self,
        repository: OrderRepository,
        ledger: Ledger,
        catalog: Catalog,
        placing: Placing,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._ledger = ledger
        self._catalog = catalog
        self._placing = placing
        self._now = now

    async def run(self) -> None:
        """Runs for ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.keep_house()

    async def keep_house(self) -> None:
        """One round; a store that is away has said so itself."""
        with suppress(Unavailable):
            await self._placing.resume()
            if self._repository.keeps_house():
                await self._repository.prune(self._now())
                await self.sweep()

    async def sweep(self) -> None:
        """Looks at all holds; a catalog that is away is asked again in the next."""
        found = 0
        try:
            async for hold in self._catalog.held(older_than=HELD_TOO_LONG_SECONDS):
                await self._settle(hold)
                found += 1
            metrics.swept(found)
        except (PeerAway, PeerRefused) as error:
            log.info("The holds could not be looked through: %s", error)

    async def _settle(self, hold: Hold) -> None:
        known = await self._repository.find(hold.order_id)
        match known:
            case (Order() as order) | Final(answer=Order() as order):
                await self._tell_again(order)
            case Final():
                await self._release_again(hold.order_id)
            case PendingOrder() as pending:
                self._placing.go_on(pending)
            case None:
                await self._release(hold)

    async def _tell_again(self, order: Order) -> None:
        """The catalog has lost what became of this order, or is just about to be told."""
        if await self._is_about_to_hear(order.id):
            return
        was_cancelled = order.status is Status.CANCELLED
        await self._catalog.move(order.id, StockMove.RETURN if was_cancelled else StockMove.SOLD)
        metrics.SETTLED.inc()

    async def _release_again(self, order_id: UUID) -> None:
        if not await self._is_about_to_hear(order_id):
            await self._catalog.move(order_id, StockMove.RELEASE)
            metrics.RELEASED.inc()

    async def _release(self, hold: Hold) -> None:
        """Closes the id with the same write: it must not become an order whose stock is gone."""
        at = self._now()
        refusal = Refusal.of(OrderExpired())
        final = Final(hold.order_id, hold.user_id, refusal, at + KEPT_AFTER_ITS_END)
        try:
            await self._ledger.close(final, [release(hold.order_id)])
        except Overtaken:
            return
        metrics.RELEASED.inc()

    async def _is_about_to_hear(self, order_id: UUID) -> bool:
        return await self._repository.next_message(Destination.CATALOG, order_id) is not None
