"""Takes up what another instance, which may be gone, has begun and not brought to its end."""

import asyncio
from collections.abc import Iterable

from orders.outbox import Relay
from orders.placing import Placing

EVERY_SECONDS = 0.5


class Takeover:
    """The store knows what was left behind; taking up what is in hand already does no harm."""

    def __init__(self, placing: Placing, relays: Iterable[Relay]) -> None:
        self._placing = placing
        self._relays = list(relays)

    async def run(self) -> None:
        """Runs for ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.look_around()

    async def look_around(self) -> None:
        """One round."""
        await self._placing.resume()
        for relay in self._relays:
            await relay.take_up()
