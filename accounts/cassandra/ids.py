"""Eight-digit ids, each given once: an instance takes a block of them at a time.

What is left of its block when it ends is never given: ids have gaps, and those of two instances
do not ascend together.
"""

import asyncio

from store.cassandra.bridge import Bridge

BLOCK = 20
NAME = "users"


class Ids:
    """The ids that this instance may give."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._mine: list[int] = []
        self._one_at_a_time = asyncio.Lock()

    async def next(self) -> int:
        async with self._one_at_a_time:
            if not self._mine:
                # The next one is the last of the list.
                self._mine = sorted(await self._block(), reverse=True)
            return self._mine.pop()

    async def free_from(self) -> int:
        """Every id below was given, or never will be."""
        return (await self._known()) or 1

    async def _block(self) -> range:
        """Raises OutcomeUnknown, after which the block is nobody's."""
        while True:
            known = await self._known()
            first = known or 1
            answer = await self._bridge.ask("take_ids", first + BLOCK, NAME, known)
            if answer[0][0]:
                return range(first, first + BLOCK)

    async def _known(self) -> int | None:
        rows = await self._bridge.ask("free_ids", NAME)
        return rows[0][0] if rows else None
