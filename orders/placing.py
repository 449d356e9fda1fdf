"""The making of an order, step by step, by a task of its own: whoever asked only waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from orders.clients import Catalog
from orders.domain import (
    Final,
    Known,
    Offer,
    Order,
    OutboxMessage,
    PendingOrder,
    Refusal,
    StockMove,
    Timetable,
    release,
)
from orders.domain.errors import IdTaken, OrderExpired, TooManyOpenOrders
from orders.ledger import Ledger
from orders.outbox import backoff
from orders.repositories import OrderRepository, Overtaken
from store import tracing
from store.errors import Conflict, Unavailable
from store.http import PeerAway, PeerRefused
from store.retries import RetryBudget
from store.tasks import Tasks

# Orders has two seconds for an answer; the way back takes some of it.
PATIENCE_SECONDS = 1.8
LONGEST_PAUSE_SECONDS = 2.0
# More at a time would only wait inside the catalog, and use up their second there.
RESERVING_AT_A_TIME = 64
MOST_AT_A_TIME = 2000


class StillMaking(Unavailable):
    code = "still_making"
    detail = "The order is still being made; ask again with the same id or key."


class TooBusy(Unavailable):
    code = "too_busy"
    detail = "Too many orders are being made; nothing was ordered, come back in a moment."


class CatalogAway(Unavailable):
    code = "service_unavailable"
    detail = "The catalog service is away and nothing was ordered; come back later."


@dataclass(frozen=True, slots=True)
class Placed:
    """``is_new``: it did not exist before this request and those that it joined."""

    order: Order
    is_new: bool


Outcome = Placed | Refusal | CatalogAway
"""What a making comes to. Only the requests that wait for it raise."""


@dataclass(frozen=True, slots=True)
class _Making:
    user_id: str
    task: asyncio.Task[Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under which orders are made. ``now`` dates them; ``wall`` is compared with the
    ``valid_until`` of other services."""

    timetable: Timetable
    most_open: int
    draw_delivery: Callable[[], timedelta]
    now: Callable[[], datetime]
    wall: Callable[[], datetime]
    patience: float = PATIENCE_SECONDS
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Placing:
    """Every step may be repeated: the order's id names the reservation and the order alike.

    *Pending* is stored before the catalog is asked, so that a restart knows of every hold.
    """

    def __init__(
        self,
        repository: OrderRepository,
        ledger: Ledger,
        catalog: Catalog,
        tasks: Tasks,
        terms: Terms,
    ) -> None:
        self._repository = repository
        self._ledger = ledger
        self._catalog = catalog
        self._tasks = tasks
        self._terms = terms
        self._makings: dict[UUID, _Making] = {}
        self._turns = asyncio.Semaphore(RESERVING_AT_A_TIME)
        self._budget = RetryBudget()

    async def place(self, pending: PendingOrder) -> Placed:
        """The order of this id, made if need be.

        Raises the Conflict for which it was refused, or Unavailable while nobody knows.
        """
        making = self._makings.get(pending.id)
        if making is None and len(self._makings) >= MOST_AT_A_TIME:
            raise TooBusy
        making = making or self._start(pending)
        if making.user_id != pending.user_id:
            raise IdTaken
        # Unlike wait_for, wait leaves the task alone when the caller is gone.
        await asyncio.wait({making.task}, timeout=self._terms.patience)
        if not making.task.done() or making.task.cancelled():
            raise StillMaking
        return _said(making.task.result())

    async def resume(self) -> None:
        """Goes on with what nobody is making: the process, or the store, had stopped."""
        for pending in await self._repository.pending():
            self.go_on(pending)

    def go_on(self, pending: PendingOrder) -> None:
        """With what another instance, which is gone, may have begun."""
        if pending.id not in self._makings:
            self._start(pending)

    def _start(self, pending: PendingOrder) -> _Making:
        tracing.tracer.begins(pending.id)
        task = self._tasks.start(self._make(pending), name="placing")
        making = self._makings[pending.id] = _Making(pending.user_id, task)
        task.add_done_callback(lambda _: self._makings.pop(pending.id, None))
        return making

    async def _make(self, pending: PendingOrder) -> Outcome:
        while True:
            try:
                known = await self._repository.find(pending.id)
                if known is None:
                    return await self._begin(pending)
                return await self._continue(pending, known)
            except Overtaken:
                continue

    async def _begin(self, pending: PendingOrder) -> Outcome:
        if pending.is_over(self._terms.wall()):
            return await self._refuse(pending, OrderExpired())
        try:
            await self._repository.begin(pending, most_open=self._terms.most_open)
        except TooManyOpenOrders as error:
            # Nothing is kept of it: the same id may come again when there is room.
            return Refusal.of(error)
        return await self._drive(pending, is_fresh=True)

    async def _continue(self, pending: PendingOrder, known: Known) -> Outcome:
        if known.user_id != pending.user_id:
            return Refusal.of(IdTaken())
        match known:
            case PendingOrder():
                return await self._drive(known, is_fresh=False)
            case Order():
                return Placed(known, is_new=False)
            case Final(answer=answer):
                return answer if isinstance(answer, Refusal) else Placed(answer, is_new=False)

    async def _drive(self, pending: PendingOrder, *, is_fresh: bool) -> Outcome:
        """From the reservation to the order, or to its refusal."""
        try:
            offers = await self._reserve(pending, is_fresh=is_fresh)
        except PeerAway:
            await self._repository.forget(pending)
            return CatalogAway()
        except Conflict as error:
            return await self._refuse(pending, error)
        if offers is None or pending.is_over(self._terms.wall()):
            return await self._refuse(pending, OrderExpired(), [release(pending.id)])
        try:
            order = self._order(pending, offers)
        except Conflict as error:
            return await self._refuse(pending, error, await self._give_back(pending.id))
        return Placed(await self._ledger.record(order), is_new=True)

    async def _reserve(
        self, pending: PendingOrder, *, is_fresh: bool
    ) -> Mapping[UUID, Offer] | None:
        """Asks until the answer is definite; None when there is no time left for another try.

        Raises a Conflict when there will be no hold, and PeerAway when the very first request
        never left, so that nothing was begun at all.
        """
        for attempt in count(1):
            async with self._budget.turn(attempt), self._turns:
                if pending.is_over(self._terms.wall()):
                    break
                try:
                    return await self._catalog.reserve(pending)
                except PeerAway as away:
                    if is_fresh and attempt == 1 and not away.sent:
                        raise
            await self._terms.sleep(backoff(attempt, longest=LONGEST_PAUSE_SECONDS))
        return None

    def _order(self, pending: PendingOrder, offers: Mapping[UUID, Offer]) -> Order:
        return pending.ordered(
            offers,
            at=self._terms.now(),
            delivery=self._terms.draw_delivery(),
            timetable=self._terms.timetable,
        )

    async def _give_back(self, order_id: UUID) -> Sequence[OutboxMessage]:
        """Releases the hold before anyone is told, or else says what remains to be sent.

        The buyer's next checkout comes at once and may need the very same pieces.
        """
        try:
            await self._catalog.move(order_id, StockMove.RELEASE)
        except (PeerAway, PeerRefused):
            return [release(order_id)]
        return []

    async def _refuse(
        self, pending: PendingOrder, error: Conflict, messages: Sequence[OutboxMessage] = ()
    ) -> Refusal:
        refusal = Refusal.of(error)
        await self._ledger.refuse(pending, refusal, at=self._terms.now(), messages=messages)
        return refusal


def _said(outcome: Outcome) -> Placed:
    match outcome:
        case Placed():
            return outcome
        case Refusal():
            raise outcome.error()
        case CatalogAway():
            raise outcome
