"""Which carts hold something, by user, and how many: for the admins."""

import asyncio
import heapq
from itertools import islice
from zlib import crc32

from carts.cassandra.rows import CartRow
from store.cassandra.bridge import Bridge

SHARDS = 16


class FilledCarts:
    """Hints, kept in step by the carts' versions; who finds one that is out of date drops it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def add(self, row: CartRow) -> None:
        await self._bridge.ask("fill_cart", _shard(row.cart.user), row.cart.user, row.version)

    async def drop(self, row: CartRow) -> None:
        await self._bridge.ask("empty_cart", row.version, _shard(row.cart.user), row.cart.user)

    async def users(self, *, after: str | None, limit: int) -> list[str]:
        answers = await asyncio.gather(
            *(
                self._bridge.ask("filled_carts", shard, after or "", limit)
                for shard in range(SHARDS)
            )
        )
        found = heapq.merge(*([user for (user,) in rows] for rows in answers))
        return list(islice(found, limit))

    async def count(self) -> int:
        answers = await asyncio.gather(
            *(self._bridge.ask("count_carts", shard) for shard in range(SHARDS))
        )
        return sum(rows[0][0] for rows in answers)


def _shard(user: str) -> int:
    return crc32(user.encode()) % SHARDS
