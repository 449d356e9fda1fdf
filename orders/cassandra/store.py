"""Orders on Cassandra, behind the same promise as those in memory, for any number of instances."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4

from orders.cassandra.agenda import Entry, told_of
from orders.cassandra.buckets import LISTS, NEWS, Buckets
from orders.cassandra.following import Follower
from orders.cassandra.leases import Leases
from orders.cassandra.lists import Listed, Lists
from orders.cassandra.news import News
from orders.cassandra.owner import Owner
from orders.cassandra.partitions import PENDING, UNKNOWN, Partitions
from orders.cassandra.reading import Pages
from orders.cassandra.room import Room
from orders.cassandra.sharding import ALL, LIST_SECONDS, NEWS_SECONDS
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
from orders.repositories import Overtaken, Position
from store.cassandra.bridge import Bridge, StoreAway
from store.cassandra.link import Link
from store.tasks import Tasks

BEAT_SECONDS = 0.7
HEAR_SECONDS = 0.25
HEAR_EVERYTHING_SECONDS = 5.0
LOAD_AGAIN_SECONDS = 60.0
LOOK_SECONDS = 0.1
# What an instance does not do within so long of its beginning, the shard's owner takes up.
LEFT_BEHIND_SECONDS = 3.0
# No clock is so far behind that it still writes there.
OLD_SECONDS = {NEWS: 300, LISTS: 3600}
BUCKETS_A_ROUND = 8
# A step that is so late was not taken by its shard's owner.
DEPUTYS_PATIENCE = timedelta(seconds=0.6)
CHANGES_AT_A_TIME = 32


def _no_alarm(_: datetime) -> None:
    """Nobody waits for what is due."""


class CassandraOrders:
    """Opens at once and is ready when Cassandra is; until then every call raises StoreAway.

    What is due, what waits and the figures are those of this instance's shards.
    """

    def __init__(
        self,
        bridge: Bridge,
        *,
        ring: Callable[[datetime], None] = _no_alarm,
        left_behind_seconds: float = LEFT_BEHIND_SECONDS,
    ) -> None:
        """``ring`` hears of what falls due in its shards through others."""
        self._bridge = bridge
        self._left_behind_seconds = left_behind_seconds
        self._tasks = Tasks()
        self._link = Link(bridge)
        self._buckets = Buckets(bridge)
        self._partitions = Partitions(bridge)
        self._lists = Lists(bridge, self._buckets)
        self._news = News(bridge, self._buckets)
        self._room = Room(bridge)
        self._pages = Pages(self._partitions, self._lists)
        self._leases = Leases(bridge, uuid4())
        following = (self._lists, self._news, self._partitions)
        self._owner = Owner(lambda: self._leases.held, *following, self._room, ring=ring)
        self._deputy = Follower(
            lambda: self._leases.deputised,
            *following,
            ring=lambda due_at: ring(due_at + DEPUTYS_PATIENCE),
        )
        self._agenda = self._owner.agenda
        # More at a time would only wait inside Cassandra, and use up their second there.
        self._turns = asyncio.Semaphore(CHANGES_AT_A_TIME)
        self._is_retired = False
        self._unseen: list[int] = []

    # Its life

    def open(self) -> None:
        self._tasks.supervise(self._link.keep, name="orders on Cassandra")
        self._tasks.supervise(self._beat, name="leases")
        self._tasks.supervise(self._hear, name="news of orders")
        self._tasks.supervise(self._look, name="orders that changed")
        self._tasks.supervise(self._load_again, name="shards read again")

    async def retire(self) -> None:
        """Its shards are free for others at once; it still serves."""
        self._is_retired = True
        with suppress(StoreAway):
            await self._leases.give_back()

    async def close(self) -> None:
        if not self._is_retired:
            await self.retire()
        await self._tasks.close(seconds=0)
        await self._bridge.close()

    def unready(self) -> str | None:
        return self._link.unready()

    @property
    def shards(self) -> frozenset[int]:
        """Those of which this instance takes care."""
        return self._owner.shards

    def keeps_house(self) -> bool:
        return min(ALL) in self._owner.shards

    # One order

    async def find(self, order_id: UUID) -> Known | None:
        return await self._partitions.find(order_id)

    async def page(
        self,
        *,
        limit: int,
        user_id: str | None = None,
        status: Status | None = None,
        before: Position | None = None,
    ) -> Sequence[Order]:
        if user_id is None:
            return await self._pages.of_all(status, before, limit=limit)
        return await self._pages.of_user(user_id, status, before, limit=limit)

    async def begin(self, pending: PendingOrder, *, most_open: int) -> None:
        async with self._turns:
            await self._room.take(pending.user_id, pending.id, most=most_open)
            await self._news.announce(pending.id, pending.user_id)
            await self._write(pending.id, pending, expected=UNKNOWN)
        if self._owner.follows(pending.id):
            self._agenda.learn(pending, (), since=time.monotonic())

    async def forget(self, pending: PendingOrder) -> None:
        await self._write(pending.id, None, expected=PENDING)
        self._agenda.drop(pending.id)
        await self._leave(pending.user_id, pending.id)

    async def refuse(self, final: Final, messages: Sequence[OutboxMessage]) -> None:
        await self._news.announce(final.id, final.user_id)
        known = await self._partitions.find(final.id)
        expected = PENDING if isinstance(known, PendingOrder) else UNKNOWN
        await self._write(final.id, final, expected=expected, messages=messages)
        if messages and self._owner.follows(final.id):
            self._agenda.learn(final, told_of(messages), since=time.monotonic())
        else:
            self._agenda.drop(final.id)
        await self._leave(final.user_id, final.id)

    async def commit(
        self, order: Order, *, expected_version: int, messages: Sequence[OutboxMessage]
    ) -> None:
        row = Listed.of(order)
        async with self._turns:
            hints = [self._lists.add(row, order.user_id)]
            hints.append(self._news.announce(order.id, order.user_id, row))
            if expected_version == PENDING:
                hints.append(self._room.keep(order.user_id, order.id))
            await asyncio.gather(*hints)
            await self._write(order.id, order, expected=expected_version, messages=messages)
        since = time.monotonic()
        if self._owner.follows(order.id):
            self._agenda.changed(order, messages, since=since)
        if self._deputy.follows(order.id):
            self._deputy.agenda.hint(row, since=since)
        if order.stage.is_last:
            await self._leave(order.user_id, order.id)

    async def delete(self, order: Order, final: Final) -> None:
        async with self._turns:
            whole = await self._partitions.whole(order.id)
            if whole.messages or _version(whole.known) != order.version:
                self._doubt(order.id)
                raise Overtaken
            await self._write(order.id, final, expected=order.version)
        self._deputy.agenda.drop(order.id)
        with suppress(StoreAway):
            await self._owner.learn(order.id)

    # The clock and the outbox

    async def due(self, now: datetime, *, limit: int) -> Sequence[Order]:
        """Its own, and those that another instance should have done by now."""
        found = await _due(self._owner, now, limit)
        return found or await _due(self._deputy, now - DEPUTYS_PATIENCE, limit)

    async def next_due(self) -> datetime | None:
        own = self._owner.agenda.next_due() if self._owner.shards else None
        others = self._deputy.agenda.next_due() if self._deputy.shards else None
        if others is not None:
            others += DEPUTYS_PATIENCE
        return min(filter(None, (own, others)), default=None)

    async def pending(self) -> Sequence[PendingOrder]:
        known = [entry.known for entry in self._left_behind()]
        return [each for each in known if isinstance(each, PendingOrder)]

    async def waiting(self, destination: Destination) -> Sequence[UUID]:
        return [
            entry.order_id
            for entry in self._left_behind()
            if any(each == destination for each, _ in entry.messages)
        ]

    async def next_message(self, destination: Destination, order_id: UUID) -> OutboxMessage | None:
        found = await self.next_messages(destination, [order_id])
        return found[0] if found else None

    async def next_messages(
        self, destination: Destination, order_ids: Iterable[UUID]
    ) -> Sequence[OutboxMessage]:
        wanted = list(order_ids)
        messages = await self._partitions.first_messages(wanted, destination)
        for order_id in set(wanted).difference(message.order_id for message in messages):
            entry = self._agenda.get(order_id)
            if entry is not None and any(each == destination for each, _ in entry.messages):
                # Somebody else has delivered it.
                self._agenda.doubt(order_id)
                self._owner.look_soon(order_id)
        return messages

    async def delivered(self, messages: Sequence[OutboxMessage]) -> Sequence[datetime]:
        await asyncio.gather(*map(self._partitions.drop_message, messages))
        due = [self._agenda.told(message) for message in messages]
        for message in messages:
            self._owner.look_soon(message.order_id)
        return [due_at for due_at in due if due_at is not None]

    # Housekeeping and figures

    async def prune(self, now: datetime) -> int:
        """Cassandra itself drops the final answers; what is left are buckets that are empty."""
        for bucket in await self._old(NEWS, NEWS_SECONDS, now):
            if await self._news.is_empty(ALL, bucket):
                await self._buckets.drop(NEWS, bucket)
        self._unseen = self._unseen or await self._old(LISTS, LIST_SECONDS, now)
        seen, self._unseen = self._unseen[:BUCKETS_A_ROUND], self._unseen[BUCKETS_A_ROUND:]
        for bucket in seen:
            if await self._lists.is_empty(bucket):
                await self._buckets.drop(LISTS, bucket)
        return 0

    def remembers_since(self, now: datetime) -> datetime:
        return now - KEPT_AFTER_ITS_END

    def open_orders(self) -> int:
        return self._agenda.count_open()

    def orders_in(self, status: Status) -> int:
        return self._agenda.count(status)

    def undelivered(self, destination: Destination) -> int:
        return self._agenda.count_messages(destination)

    # Behind the scenes

    async def _write(
        self,
        order_id: UUID,
        known: Known | None,
        *,
        expected: int | None,
        messages: Sequence[OutboxMessage] = (),
    ) -> None:
        try:
            await self._partitions.write(order_id, known, expected=expected, messages=messages)
        except (Overtaken, StoreAway):
            self._doubt(order_id)
            raise

    def _doubt(self, order_id: UUID) -> None:
        self._owner.agenda.doubt(order_id)
        self._deputy.agenda.doubt(order_id)

    async def _leave(self, user_id: str, order_id: UUID) -> None:
        """Where that fails, the shard's owner does it."""
        with suppress(StoreAway):
            await self._room.leave(user_id, order_id)

    def _left_behind(self) -> Sequence[Entry]:
        if not self._owner.shards:
            return []
        return self._agenda.busy(before=time.monotonic() - self._left_behind_seconds)

    async def _old(self, kind: str, seconds: int, now: datetime) -> list[int]:
        latest = (now.timestamp() - OLD_SECONDS[kind]) / seconds
        return [bucket for bucket in await self._buckets.used(kind) if bucket + 1 < latest]

    async def _beat(self) -> None:
        while not self._is_retired:
            with suppress(StoreAway):
                await self._leases.beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def _hear(self) -> None:
        everything_at = time.monotonic()
        while True:
            is_time = time.monotonic() >= everything_at
            with suppress(StoreAway):
                for follower in (self._owner, self._deputy):
                    await follower.load()
                    await follower.hear(everything=is_time)
                if is_time:
                    everything_at = time.monotonic() + HEAR_EVERYTHING_SECONDS
            await asyncio.sleep(HEAR_SECONDS)

    async def _load_again(self) -> None:
        while True:
            await asyncio.sleep(LOAD_AGAIN_SECONDS)
            with suppress(StoreAway):
                await self._owner.load_again()
                await self._deputy.load_again()

    async def _look(self) -> None:
        while True:
            await self._owner.look_around()
            await asyncio.sleep(LOOK_SECONDS)


async def _due(follower: Follower, now: datetime, limit: int) -> Sequence[Order]:
    while follower.shards:
        entries = [follower.agenda.get(each) for each in islice(follower.agenda.due(now), limit)]
        known = [entry.known for entry in entries if entry is not None]
        orders = [each for each in known if isinstance(each, Order)]
        if len(orders) == len(entries):
            return orders
        unread = [entry.order_id for entry in entries if entry and entry.known is None]
        await asyncio.gather(*map(follower.learn, unread))
    return []


def _version(known: Known | None) -> int | None:
    return known.version if isinstance(known, Order) else None
