"""The lists of orders: rows that say where to look, written before the order is.

A reader compares each row with its order, so a row that came to nothing is never shown.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from orders.cassandra.buckets import LISTS, Buckets
from orders.cassandra.sharding import ALL, LIST_SECONDS, bucket_of, shard_of
from orders.domain import Order, Status
from orders.repositories import Position
from store.cassandra.bridge import Bridge
from store.clock import microseconds, moment

# The driver would give more rows than these in parts.
MOST_ROWS = 5000
BUCKETS_AT_ONCE = 8
Mark = tuple[int, bytes, int]
NEWEST: Mark = (2**63 - 1, b"", 0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row: at some time the order may have been in this status with this version."""

    order_id: UUID
    status: Status
    version: int
    created_at: int
    next_at: int

    @classmethod
    def of(cls, order: Order) -> "Listed":
        moments = microseconds(order.created_at), microseconds(order.next_at)
        return cls(order.id, order.status, order.version, *moments)

    @property
    def key(self) -> tuple[object, ...]:
        """In the table by status."""
        bucket = bucket_of(self.created_at, LIST_SECONDS)
        partition = (self.status, bucket, shard_of(self.order_id))
        return (*partition, self.created_at, self.order_id.bytes, self.version)

    @property
    def mark(self) -> Mark:
        return self.created_at, self.order_id.bytes, self.version

    @property
    def position(self) -> Position:
        return moment(self.created_at), self.order_id


class Lists:
    def __init__(self, bridge: Bridge, buckets: Buckets) -> None:
        self._bridge = bridge
        self._buckets = buckets

    async def add(self, row: Listed, user_id: str) -> None:
        await self._buckets.use(LISTS, bucket_of(row.created_at, LIST_SECONDS))
        writes = [self._bridge.ask("list_by_status", *row.key, row.next_at)]
        # A user's list does not know the status: one row is enough for all of a life.
        if row.version == 1:
            writes.append(self._bridge.ask("list_for_user", *_of_user(user_id, row)))
        await asyncio.gather(*writes)

    async def remove(self, rows: Iterable[Listed]) -> None:
        await asyncio.gather(*(self._bridge.ask("unlist_by_status", *row.key) for row in rows))

    async def remove_for_user(self, user_id: str, rows: Iterable[Listed]) -> None:
        keys = {_of_user(user_id, row) for row in rows}
        await asyncio.gather(*(self._bridge.ask("unlist_for_user", *key) for key in keys))

    async def of_user(self, user_id: str, before: Position | None, *, limit: int) -> list[Position]:
        """Where a user's orders may stand, newest first."""
        created_at, key, _ = _mark(before)
        limit = min(limit, MOST_ROWS)
        rows = await self._bridge.ask("of_user", user_id, created_at, key, limit)
        return [(moment(count), UUID(bytes=found)) for count, found in rows]

    async def newest(
        self, statuses: Sequence[Status], before: Position | None, *, limit: int
    ) -> AsyncIterator[list[Listed]]:
        """All rows after ``before``, newest first, some at a time; ``limit`` are wanted."""
        mark = _mark(before)
        for bucket in await self._buckets.used(LISTS):
            if bucket <= bucket_of(mark[0], LIST_SECONDS):
                async for rows in self._bucket(statuses, bucket, ALL, mark, limit):
                    yield rows

    async def of_shards(self, shards: Sequence[int]) -> list[Listed]:
        """Every row there is."""
        at_once = asyncio.Semaphore(BUCKETS_AT_ONCE)

        async def one(bucket: int) -> list[Listed]:
            async with at_once:
                read = self._bucket(list(Status), bucket, shards, NEWEST, MOST_ROWS)
                return [row async for rows in read for row in rows]

        found = await asyncio.gather(*map(one, await self._buckets.used(LISTS)))
        return [row for rows in found for row in rows]

    async def is_empty(self, bucket: int) -> bool:
        rows = await self._bridge.ask("by_status", list(Status), bucket, ALL, *NEWEST, 1)
        return not rows

    async def _bucket(
        self, statuses: Sequence[Status], bucket: int, shards: Sequence[int], mark: Mark, limit: int
    ) -> AsyncIterator[list[Listed]]:
        """A partition that gave all that it was asked for may have more behind its last row:
        the rows of the others are of use down to there.
        """
        each = min(limit, MOST_ROWS // (len(statuses) * len(shards)))
        while True:
            rows = await self._bridge.ask("by_status", statuses, bucket, shards, *mark, each)
            parts: dict[tuple[str, int], list[Listed]] = {}
            for status, shard, *values in rows:
                parts.setdefault((status, shard), []).append(_listed(status, *values))
            full = [part[-1].mark for part in parts.values() if len(part) == each]
            down_to = max(full, default=(0, b"", 0))
            listed = (row for part in parts.values() for row in part if row.mark >= down_to)
            yield sorted(listed, key=lambda row: row.mark, reverse=True)
            if not full:
                return
            mark = down_to


def _listed(status: str, created_at: int, key: bytes, version: int, next_at: int) -> Listed:
    return Listed(UUID(bytes=key), Status(status), version, created_at, next_at)


def _of_user(user_id: str, row: Listed) -> tuple[str, int, bytes]:
    return user_id, row.created_at, row.order_id.bytes


def _mark(before: Position | None) -> Mark:
    """Behind a position come all versions of what stands there, which is not wanted again."""
    return (microseconds(before[0]), before[1].bytes, -1) if before else NEWEST
