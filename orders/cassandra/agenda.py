"""What the owner of some shards knows of their orders: what is due when, and what was left."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sortedcontainers import SortedList

from orders.cassandra.lists import Listed
from orders.cassandra.sharding import shard_of
from orders.domain import LIFECYCLE, OPEN, Destination, Known, Order, OutboxMessage, Status
from store.clock import moment

Told = tuple[Destination, int]
"""A message of an order: for whom, and its sequence."""


@dataclass(slots=True)
class Entry:
    """``known`` is None as long as only a list's row was read, or when it is out of date.
    ``is_sure``: all its messages are known. ``since``: when it last changed, in monotonic
    seconds. ``rows``: where it may stand in the lists.
    """

    order_id: UUID
    since: float
    known: Known | None = None
    is_sure: bool = False
    status: Status | None = None
    version: int = 0
    next_at: datetime | None = None
    messages: set[Told] = field(default_factory=set)
    rows: set[Listed] = field(default_factory=set)

    @property
    def is_armed(self) -> bool:
        """An order that is over waits for its last message."""
        return self.status is not None and not (LIFECYCLE[self.status].is_last and self.messages)


class Agenda:
    """Counts and indexes in memory; nothing here is the truth, which is in the partitions."""

    def __init__(self) -> None:
        self._entries: dict[UUID, Entry] = {}
        self._due: SortedList[tuple[datetime, int]] = SortedList()
        self._counts: Counter[Status] = Counter()
        self._messages: Counter[Destination] = Counter()
        # Those of which somebody has to do something soon.
        self._busy: dict[UUID, Entry] = {}

    def get(self, order_id: UUID) -> Entry | None:
        return self._entries.get(order_id)

    def hint(self, row: Listed, *, since: float) -> None:
        """A row says that the order may be there now."""
        entry = self._taken(row.order_id) or Entry(row.order_id, since)
        entry.rows.add(row)
        if row.version > entry.version:
            entry.status, entry.version = row.status, row.version
            entry.next_at, entry.since = moment(row.next_at), since
            entry.known, entry.is_sure = None, False
        self._placed(entry)

    def learn(self, known: Known, messages: Iterable[Told], *, since: float) -> None:
        """Everything about it, as it is or was just now."""
        entry = self._taken(known.id) or Entry(known.id, since)
        version = known.version if isinstance(known, Order) else 0
        if version != entry.version:
            entry.since = since
        entry.known, entry.version, entry.is_sure = known, version, True
        entry.messages, entry.status = set(messages), None
        if isinstance(known, Order):
            entry.status, entry.next_at = known.status, known.next_at
            entry.rows.add(Listed.of(known))
        self._placed(entry)

    def changed(self, order: Order, messages: Iterable[OutboxMessage], *, since: float) -> None:
        """By this instance, which may not know the messages of before."""
        entry = self._entries.get(order.id)
        before, is_sure = (entry.messages, entry.is_sure) if entry else (set(), False)
        self.learn(order, before | told_of(messages), since=since)
        self._entries[order.id].is_sure = is_sure

    def doubt(self, order_id: UUID) -> None:
        """It is another by now."""
        if (entry := self._entries.get(order_id)) is not None:
            entry.known, entry.is_sure = None, False

    def told(self, message: OutboxMessage) -> datetime | None:
        """When the order is due, if only this message kept it from being so."""
        entry = self._taken(message.order_id)
        if entry is None:
            return None
        was_armed = entry.is_armed
        entry.messages.discard((message.destination, message.sequence))
        self._placed(entry)
        return entry.next_at if entry.is_armed and not was_armed else None

    def drop(self, order_id: UUID) -> None:
        self._taken(order_id)

    def drop_shards(self, shards: Iterable[int]) -> None:
        lost = set(shards)
        for order_id in [each for each in self._entries if shard_of(each) in lost]:
            self.drop(order_id)

    def due(self, now: datetime) -> Iterator[UUID]:
        """The most overdue first; the agenda must not change meanwhile."""
        for next_at, number in self._due:
            if next_at > now:
                return
            yield UUID(int=number)

    def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def busy(self, *, before: float) -> Sequence[Entry]:
        """What is being made, or has something to tell, since before that."""
        return [entry for entry in self._busy.values() if entry.since <= before]

    def count(self, status: Status) -> int:
        return self._counts[status]

    def count_open(self) -> int:
        return sum(map(self.count, OPEN))

    def count_messages(self, destination: Destination) -> int:
        return self._messages[destination]

    def _taken(self, order_id: UUID) -> Entry | None:
        """Out of all indexes, to be changed."""
        entry = self._entries.pop(order_id, None)
        if entry is None:
            return None
        self._busy.pop(order_id, None)
        if entry.status is not None:
            self._counts[entry.status] -= 1
            self._due.discard((entry.next_at, order_id.int))
        self._messages.subtract(destination for destination, _ in entry.messages)
        return entry

    def _placed(self, entry: Entry) -> Entry:
        self._entries[entry.order_id] = entry
        if entry.status is None or entry.messages:
            self._busy[entry.order_id] = entry
        if entry.status is not None:
            self._counts[entry.status] += 1
        if entry.is_armed and entry.next_at is not None:
            self._due.add((entry.next_at, entry.order_id.int))
        self._messages.update(destination for destination, _ in entry.messages)
        return entry


def told_of(messages: Iterable[OutboxMessage]) -> set[Told]:
    return {(message.destination, message.sequence) for message in messages}
