"""What can be done with orders: place, look at, cancel, set by hand, and let time pass."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from orders import metrics
from orders.domain import (
    Actor,
    Final,
    Known,
    Line,
    Order,
    PendingOrder,
    Status,
    is_same_purchase,
)
from orders.domain.errors import KeyOfAnotherOrder, NotYourOrder, OrderNotFound
from orders.entries import Entry, entry_of
from orders.ledger import Ledger
from orders.placing import Placed, Placing, Terms
from orders.repositories import OrderRepository, Overtaken, Position
from store import tracing
from store.tasks import Tasks

BATCH = 200
ENTRIES_AT_ONCE = 32
OWN_ORDER_IS_VALID_FOR = timedelta(seconds=60)
KEY_IS_KEPT_FOR = timedelta(hours=24)
_KEYS = UUID("6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What somebody wants to buy, at the prices that were shown. A service names the id."""

    user_id: str
    lines: tuple[Line, ...]
    total: Decimal
    order_id: UUID | None = None
    valid_until: datetime | None = None


class OrderService:
    def __init__(
        self,
        repository: OrderRepository,
        ledger: Ledger,
        placing: Placing,
        tasks: Tasks,
        terms: Terms,
    ) -> None:
        self._repository = repository
        self._ledger = ledger
        self._placing = placing
        self._tasks = tasks
        self._terms = terms

    async def place(self, purchase: Purchase, *, key: str | None = None) -> Placed:
        """Makes the order, or finds the one of the same id or idempotency key.

        Raises TotalMismatch, a Conflict, or Unavailable while nobody knows.
        """
        valid_until = purchase.valid_until or self._terms.wall() + OWN_ORDER_IS_VALID_FOR
        pending = PendingOrder(
            id=purchase.order_id or await self._new_id(purchase, key),
            user_id=purchase.user_id,
            lines=purchase.lines,
            total=purchase.total,
            valid_until=valid_until,
        )
        pending.check()
        return await self._placing.place(pending)

    async def order(self, order_id: UUID) -> Order:
        """Raises OrderNotFound, also for one that is still being made or was deleted."""
        known = await self._repository.find(order_id)
        if not isinstance(known, Order):
            raise OrderNotFound
        return known

    async def order_for(self, actor: Actor, order_id: UUID) -> Order:
        """Raises OrderNotFound or NotYourOrder."""
        order = await self.order(order_id)
        order.role_of(actor)
        return order

    async def page(
        self,
        actor: Actor,
        *,
        limit: int,
        user_id: str | None = None,
        status: Status | None = None,
        before: Position | None = None,
    ) -> tuple[Sequence[Order], bool]:
        """Orders, newest first, and whether more follow; everybody's for an admin only."""
        if not actor.is_admin:
            if user_id not in (None, actor.username):
                raise NotYourOrder("These orders are not yours.")
            user_id = actor.username
        orders = await self._repository.page(
            limit=limit + 1, user_id=user_id, status=status, before=before
        )
        return orders[:limit], len(orders) > limit

    async def entries(self, order_ids: Iterable[UUID]) -> tuple[list[Entry], datetime]:
        """What is known of the ids, and since when nothing that ended was forgotten."""
        since = self._repository.remembers_since(self._terms.now())
        at_once = asyncio.Semaphore(ENTRIES_AT_ONCE)

        async def one(order_id: UUID) -> Entry | None:
            async with at_once:
                return await entry_of(self._repository, order_id)

        found = await asyncio.gather(*map(one, order_ids))
        return [entry for entry in found if entry is not None], since

    async def cancel(self, order_id: UUID, actor: Actor) -> Order:
        """Stock goes back with the same write. Raises what the order's rules say."""
        return await self._change(
            order_id,
            lambda order: order.cancelled(
                order.role_of(actor), at=self._terms.now(), timetable=self._terms.timetable
            ),
        )

    async def set_status(self, order_id: UUID, status: Status) -> Order:
        """By an admin's hand. Raises IllegalTransition."""
        return await self._change(
            order_id,
            lambda order: order.set_to(
                status, at=self._terms.now(), timetable=self._terms.timetable
            ),
        )

    async def advance_due(self, now: datetime) -> int:
        """Takes every step that is due, the most overdue first; answers how many.

        Raises what the first step raised that failed, when all that began have ended.
        """
        steps = 0
        while orders := await self._repository.due(now, limit=BATCH):
            # Together, so that a store which writes in groups waits once for all of them.
            outcomes = await asyncio.gather(*map(self._advance, orders), return_exceptions=True)
            for failure in filter(None, outcomes):
                raise failure
            steps += len(orders)
            await asyncio.sleep(0)
        metrics.CLOCK.set_to_current_time()
        return steps

    async def next_due(self) -> datetime | None:
        return await self._repository.next_due()

    async def _advance(self, order: Order) -> None:
        at = self._terms.now()
        try:
            if order.stage.is_last:
                await self._ledger.delete(order, at=at)
            else:
                advanced = order.advanced(self._terms.timetable)
                with tracing.tracer.step(f"order {advanced.status}", order.id):
                    await self._ledger.record(advanced)
        except Overtaken:
            return  # By a cancellation, say: it is due again if it still is.
        metrics.stepped(order, at=at)

    async def _change(self, order_id: UUID, decide: Callable[[Order], Order]) -> Order:
        """Decides again whenever somebody else, such as the clock, was faster."""
        while True:
            wanted = decide(await self.order(order_id))
            # A write that has begun is told to all who must know, though its caller hang up.
            writing = self._tasks.start(self._recorded(wanted), name="change")
            order = await asyncio.shield(writing)
            if order is not None:
                return order

    async def _recorded(self, order: Order) -> Order | None:
        """None when somebody else was faster."""
        try:
            return await self._ledger.record(order)
        except Overtaken:
            return None

    async def _new_id(self, purchase: Purchase, key: str | None) -> UUID:
        """The key's own id, so that a repetition finds its order even after a restart.

        A key that is older than its 24 hours may be used anew: that is the next id in its row.
        """
        if key is None:
            return uuid4()
        name = f"{purchase.user_id} {key}"
        while True:
            order_id = uuid5(_KEYS, name)
            known = await self._repository.find(order_id)
            if known is None or _began_at(known) + KEY_IS_KEPT_FOR > self._terms.now():
                _check_same(known, purchase)
                return order_id
            name += " again"


def _began_at(known: Known) -> datetime:
    match known:
        case (Order() as order) | Final(answer=Order() as order):
            return order.created_at
        case Final():
            return known.keep_until - KEY_IS_KEPT_FOR
        case PendingOrder():
            return known.valid_until


def _check_same(known: Known | None, purchase: Purchase) -> None:
    """Raises KeyOfAnotherOrder. What a refused order asked for is not kept."""
    match known:
        case Order(lines=lines) | PendingOrder(lines=lines) | Final(answer=Order(lines=lines)):
            if not is_same_purchase(lines, purchase.lines):
                raise KeyOfAnotherOrder
