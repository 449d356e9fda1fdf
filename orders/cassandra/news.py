"""Announcements of changes, and the owner's way through them.

Whoever changes an order announces it first, so its shard's owner learns of it whatever becomes
of the change, and of whoever makes it. Only the owner deletes an announcement: when the change
is there, and nothing of it is left to be told.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cassandra.util import min_uuid_from_time, unix_time_from_uuid1

from orders.cassandra.buckets import NEWS, Buckets
from orders.cassandra.lists import MOST_ROWS, Listed
from orders.cassandra.sharding import NEWS_SECONDS, shard_of
from orders.domain import Status
from store.cassandra.bridge import Bridge

# What was announced so long ago is seen even if it, or a clock, is late by nearly as much;
# what is later still is seen when everything is read.
OVERLAP_SECONDS = 10.0
FIRST = min_uuid_from_time(0)


@dataclass(frozen=True, slots=True)
class Notice:
    """``listed`` is None for an order that is about to be made, or refused."""

    shard: int
    bucket: int
    at: UUID
    order_id: UUID
    user_id: str
    listed: Listed | None

    @property
    def version(self) -> int:
        return self.listed.version if self.listed else 0

    @property
    def age(self) -> float:
        """In seconds, as far as the clocks agree."""
        announced_at: float = unix_time_from_uuid1(self.at)
        return max(0.0, time.time() - announced_at)


class News:
    def __init__(self, bridge: Bridge, buckets: Buckets) -> None:
        self._bridge = bridge
        self._buckets = buckets

    async def announce(self, order_id: UUID, user_id: str, row: Listed | None = None) -> None:
        bucket = _present()
        await self._buckets.use(NEWS, bucket)
        about = (row.version, row.status, row.created_at, row.next_at) if row else (0, *[None] * 3)
        await self._bridge.ask("announce", shard_of(order_id), bucket, order_id, user_id, *about)

    async def latest(self, shards: Sequence[int]) -> list[Notice]:
        since = min_uuid_from_time(time.time() - OVERLAP_SECONDS)
        return await self._read(shards, [_present() - 1, _present()], since)

    async def all(self, shards: Sequence[int]) -> list[Notice]:
        used = await self._buckets.used(NEWS)
        parts = (self._read(shards, [bucket], FIRST) for bucket in used)
        return [notice for part in await asyncio.gather(*parts) for notice in part]

    async def drop(self, notice: Notice) -> None:
        await self._bridge.ask("drop_news", notice.shard, notice.bucket, notice.at)

    async def is_empty(self, shards: Sequence[int], bucket: int) -> bool:
        return not await self._bridge.ask("news", shards, [bucket], FIRST, 1)

    async def _read(
        self, shards: Sequence[int], buckets: Sequence[int], after: UUID
    ) -> list[Notice]:
        each = MOST_ROWS // (len(shards) * len(buckets))
        found: dict[UUID, Notice] = {}
        while True:
            rows = await self._bridge.ask("news", shards, buckets, after, each)
            notices = [_notice(*row) for row in rows]
            found |= {notice.at: notice for notice in notices}
            parts: dict[tuple[int, int], list[Notice]] = {}
            for notice in notices:
                parts.setdefault((notice.shard, notice.bucket), []).append(notice)
            full = [part[-1].at for part in parts.values() if len(part) == each]
            if not full:
                return list(found.values())
            after = min(full, key=unix_time_from_uuid1)


def _present() -> int:
    return int(time.time()) // NEWS_SECONDS


def _notice(
    shard: int,
    bucket: int,
    at: UUID,
    order_id: UUID,
    user_id: str,
    version: int,
    status: str | None,
    created_at: int,
    next_at: int,
) -> Notice:
    row = Listed(order_id, Status(status), version, created_at, next_at) if status else None
    return Notice(shard, bucket, at, order_id, user_id, row)
