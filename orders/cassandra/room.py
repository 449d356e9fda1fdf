"""How many orders a user may have open at once, without a counter that could go wrong."""

import asyncio
import time
from uuid import UUID

from orders.domain.errors import TooManyOpenOrders
from store.cassandra.bridge import Bridge

# While it is being made, an order takes up room for so long, whatever becomes of its maker.
MAKING_SECONDS = 120
ALWAYS = 0
ROWS_AT_ONCE = 2000
FIRST = UUID(int=0)
# Those that came at the same moment and have to go make room for those that may stay.
LOOKS, LOOK_AGAIN_SECONDS = 4, 0.05


class Room:
    """Each order writes its row first and then reads all of them: of two that come at once, at
    least one sees the other.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def take(self, user_id: str, order_id: UUID, *, most: int) -> None:
        """Raises TooManyOpenOrders."""
        opened_at = time.time_ns() // 1000
        await self._bridge.ask("take_room", user_id, order_id, opened_at, MAKING_SECONDS)
        for _ in range(LOOKS):
            rows = sorted(await self._rows(user_id), key=lambda row: (row[1], row[0].int))
            if len(rows) <= most:
                return
            if order_id not in [found for found, _ in rows[:most]]:
                break
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await self.leave(user_id, order_id)
        raise TooManyOpenOrders

    async def keep(self, user_id: str, order_id: UUID) -> None:
        """The order is there: it takes up room until it leaves."""
        opened_at = time.time_ns() // 1000
        await self._bridge.ask("take_room", user_id, order_id, opened_at, ALWAYS)

    async def leave(self, user_id: str, order_id: UUID) -> None:
        await self._bridge.ask("leave_room", user_id, order_id)

    async def _rows(self, user_id: str) -> list[tuple[UUID, int]]:
        rows: list[tuple[UUID, int]] = []
        while True:
            after = rows[-1][0] if rows else FIRST
            found = await self._bridge.ask("room", user_id, after, ROWS_AT_ONCE)
            rows += [(order_id, opened_at) for order_id, opened_at in found]
            if len(found) < ROWS_AT_ONCE:
                return rows
