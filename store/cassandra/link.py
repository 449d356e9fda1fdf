"""A service's connection to Cassandra: dialled until it is there, and anew when it stays away.

The driver gives up a node that refuses us once, and never asks again which address a name has.
"""

import asyncio
import time

from store.cassandra.bridge import Bridge, StoreAway

REDIAL_SECONDS = 1.0
# Who refuses us is not asked as often as who is not there.
REDIAL_SECONDS_AT_MOST = 4.0
LOOK_SECONDS = 0.5
# No answer for so long: no traffic may come; and for so long: everything anew.
UNREADY_SECONDS = 2.0
LOST_SECONDS = 10.0


async def dial(bridge: Bridge) -> None:
    """Again and again: Cassandra may come later, or what is wrong be mended there."""
    pause = REDIAL_SECONDS
    while not bridge.is_open:
        try:
            await bridge.open()
        except Exception as error:
            bridge.outage.because(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, REDIAL_SECONDS_AT_MOST)


class Link:
    """Keeps a bridge open for a service that asks for rows and remembers none."""

    def __init__(self, bridge: Bridge) -> None:
        """``bridge``: one of its plain statements is "ping", without values."""
        self._bridge = bridge
        self._answered_at = float("-inf")

    async def keep(self) -> None:
        """For a supervised task."""
        while True:
            await dial(self._bridge)
            await self._look()
            await self._bridge.close()

    def unready(self) -> str | None:
        if time.monotonic() - self._answered_at <= UNREADY_SECONDS:
            return None
        if reason := self._bridge.outage.reason:
            return f"The database cannot be used: {reason}."
        return "The database is away."

    async def _look(self) -> None:
        """Until there was no answer for LOST_SECONDS."""
        works_at = time.monotonic()
        while time.monotonic() - works_at < LOST_SECONDS:
            try:
                await self._bridge.ask("ping")
                self._answered_at = works_at = time.monotonic()
                self._bridge.outage.works()
            except StoreAway:
                """What else is asked meanwhile says so to its callers."""
            await asyncio.sleep(LOOK_SECONDS)
