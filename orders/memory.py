"""The memory store of orders: plain objects in dicts, with the indexes that the queries need."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from sortedcontainers import SortedList

from orders.domain import (
    KEPT_AFTER_ITS_END,
    Destination,
    Final,
    Known,
    Order,
    OutboxMessage,
    PendingOrder,
    Status,
)
from orders.domain.errors import TooManyOpenOrders
from orders.queues import Queues
from orders.repositories import Overtaken, Position
from orders.shelves import Entry, Shelves

MOST_FINALS = 200_000


class MemoryOrders:
    """No method waits for anything, so each is one step for all others.

    Inside, an id is a number: it is hashed and compared at a tenth of the cost of a UUID.

    Final answers are bounded in number too. Dropping one early is safe: its id is past its
    ``valid_until`` and never begins again, whoever asks.
    """

    def __init__(self, *, most_finals: int = MOST_FINALS) -> None:
        self._known: dict[int, Known] = {}
        self._shelves = Shelves()
        self._due: SortedList[Entry] = SortedList()
        self._pending_of: Counter[str] = Counter()
        self._pending: dict[int, PendingOrder] = {}
        self._finals: deque[Final] = deque()
        self._most_finals = most_finals
        self._outbox = Queues()

    async def find(self, order_id: UUID) -> Known | None:
        return self._known.get(order_id.int)

    async def page(
        self,
        *,
        limit: int,
        user_id: str | None = None,
        status: Status | None = None,
        before: Position | None = None,
    ) -> Sequence[Order]:
        entry = before and (before[0], before[1].int)
        numbers = self._shelves.newest_first(user_id, status, entry)
        found = (self._known[number] for number in islice(numbers, limit))
        return [order for order in found if isinstance(order, Order)]

    async def begin(self, pending: PendingOrder, *, most_open: int) -> None:
        if pending.id.int in self._known:
            raise Overtaken
        user_id = pending.user_id
        if self._shelves.count_open_of(user_id) + self._pending_of[user_id] >= most_open:
            raise TooManyOpenOrders
        self._begin(pending)

    async def forget(self, pending: PendingOrder) -> None:
        self._end_pending(pending.id)
        del self._known[pending.id.int]

    async def refuse(self, final: Final, messages: Sequence[OutboxMessage]) -> None:
        if isinstance(self._known.get(final.id.int), Order | Final):
            raise Overtaken
        self._end_pending(final.id)
        self._keep(final)
        self._outbox.add(messages)

    async def commit(
        self, order: Order, *, expected_version: int, messages: Sequence[OutboxMessage]
    ) -> None:
        present = self._present(order.id, expected_version)
        if present is None:
            self._end_pending(order.id)
        else:
            self._shelves.take(present)
            self._due.discard((present.next_at, present.id.int))
        self._outbox.add(messages)
        self._place(order)

    async def delete(self, order: Order, final: Final) -> None:
        present = self._present(order.id, order.version)
        if present is None or self._outbox.hold_any_of(order.id):
            raise Overtaken
        self._shelves.take(present)
        self._due.discard((present.next_at, present.id.int))
        self._keep(final)

    async def due(self, now: datetime, *, limit: int) -> Sequence[Order]:
        orders = []
        for next_at, number in islice(self._due, limit):
            order = self._known[number]
            if next_at > now or not isinstance(order, Order):
                break
            orders.append(order)
        return orders

    async def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    async def pending(self) -> Sequence[PendingOrder]:
        return list(self._pending.values())

    async def waiting(self, destination: Destination) -> Sequence[UUID]:
        return self._outbox.orders(destination)

    async def next_message(self, destination: Destination, order_id: UUID) -> OutboxMessage | None:
        found = await self.next_messages(destination, [order_id])
        return found[0] if found else None

    async def next_messages(
        self, destination: Destination, order_ids: Iterable[UUID]
    ) -> Sequence[OutboxMessage]:
        found = (self._outbox.first(destination, order_id) for order_id in order_ids)
        return [message for message in found if message is not None]

    async def delivered(self, messages: Sequence[OutboxMessage]) -> Sequence[datetime]:
        due = (self._armed_by(message) for message in messages if self._outbox.remove(message))
        return [due_at for due_at in due if due_at is not None]

    async def prune(self, now: datetime) -> int:
        before = len(self._finals)
        while self._finals and self._finals[0].keep_until <= now:
            self._drop_oldest_final()
        return before - len(self._finals)

    def keeps_house(self) -> bool:
        return True

    def remembers_since(self, now: datetime) -> datetime:
        since = now - KEPT_AFTER_ITS_END
        is_full = len(self._finals) >= self._most_finals
        return max(since, self._finals[0].keep_until - KEPT_AFTER_ITS_END) if is_full else since

    def open_orders(self) -> int:
        return self._shelves.count_open()

    def orders_in(self, status: Status) -> int:
        return self._shelves.count(status)

    def undelivered(self, destination: Destination) -> int:
        return self._outbox.size(destination)

    def _restore(self, everything: Sequence[Known]) -> None:
        """What an earlier process knew, in a store that has its messages already."""
        for known in everything:
            match known:
                case Order():
                    self._place(known)
                case PendingOrder():
                    self._begin(known)
        finals = [known for known in everything if isinstance(known, Final)]
        for final in sorted(finals, key=lambda final: final.keep_until):
            self._keep(final)

    def _begin(self, pending: PendingOrder) -> None:
        self._known[pending.id.int] = self._pending[pending.id.int] = pending
        self._pending_of[pending.user_id] += 1

    def _place(self, order: Order) -> None:
        self._known[order.id.int] = order
        self._shelves.put(order)
        self._arm(order)

    def _present(self, order_id: UUID, version: int) -> Order | None:
        """The stored order, None for a pending one. Raises Overtaken for another version."""
        known = self._known.get(order_id.int)
        if isinstance(known, Order) and known.version == version:
            return known
        if isinstance(known, PendingOrder) and version == 0:
            return None
        raise Overtaken

    def _armed_by(self, message: OutboxMessage) -> datetime | None:
        """When the order is due now that ``message`` has left the outbox."""
        order = self._known.get(message.order_id.int)
        if not isinstance(order, Order) or not order.stage.is_last:
            return None
        return self._arm(order)

    def _arm(self, order: Order) -> datetime | None:
        """An order that is over waits outside the index until its outbox is empty."""
        if order.stage.is_last and self._outbox.hold_any_of(order.id):
            return None
        self._due.add((order.next_at, order.id.int))
        return order.next_at

    def _end_pending(self, order_id: UUID) -> None:
        pending = self._pending.pop(order_id.int, None)
        if pending is not None:
            self._pending_of[pending.user_id] -= 1
            if not self._pending_of[pending.user_id]:
                del self._pending_of[pending.user_id]

    def _keep(self, final: Final) -> None:
        self._known[final.id.int] = final
        self._finals.append(final)
        if len(self._finals) > self._most_finals:
            self._drop_oldest_final()

    def _drop_oldest_final(self) -> None:
        del self._known[self._finals.popleft().id.int]
