"""The asyncio side of the lifecycle: one loop that waits for the earliest step and has it taken."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from orders.alarm import Alarm
from orders.services import OrderService
from store.errors import Unavailable

LONGEST_WAIT_SECONDS = 1.0
# Steps that fall due within a few milliseconds are taken, kept and told together.
SHORTEST_WAIT_SECONDS = 0.02


class SteadyTime:
    """The wall clock as it was at the start, and from there on at the pace of real time.

    The host's clock may be set while orders are on their way; five seconds stay five seconds.
    Time in which the host slept counts, where the system tells (CLOCK_BOOTTIME of Linux).
    """

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._began_at = wall()
        self._began_at_second = _seconds()

    def __call__(self) -> datetime:
        return self._began_at + timedelta(seconds=_seconds() - self._began_at_second)


def _seconds() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Clock:
    def __init__(self, service: OrderService, alarm: Alarm, *, now: Callable[[], datetime]) -> None:
        self._service = service
        self._alarm = alarm
        self._now = now

    async def run(self) -> None:
        """Runs for ever."""
        while True:
            # Reset first: what falls due while the steps are taken must not go unheard.
            self._alarm.reset()
            try:
                await self._service.advance_due(self._now())
                due_at = await self._service.next_due()
            except Unavailable:
                # The store is away and has said so; what is due stays due.
                await asyncio.sleep(LONGEST_WAIT_SECONDS)
                continue
            await self._alarm.wait(due_at, seconds=self._seconds_until(due_at))

    def _seconds_until(self, due_at: datetime | None) -> float:
        if due_at is None:
            return LONGEST_WAIT_SECONDS
        seconds = (due_at - self._now()).total_seconds()
        return max(SHORTEST_WAIT_SECONDS, min(LONGEST_WAIT_SECONDS, seconds))
