"""Wakes the clock when something falls due before the moment for which it waits."""

import asyncio
from datetime import datetime


class Alarm:
    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._set_for: datetime | None = None

    def reset(self) -> None:
        """From here on any ring counts, until it is known for which moment to wait."""
        self._event.clear()
        self._set_for = None

    def ring(self, due_at: datetime) -> None:
        """Something is due at ``due_at``."""
        if self._set_for is None or due_at < self._set_for:
            self._event.set()

    async def wait(self, until: datetime | None, *, seconds: float) -> None:
        """Waits ``seconds``, which is the way to ``until``, or for an earlier ring."""
        if until is not None and not self._event.is_set():
            self._set_for = until
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
