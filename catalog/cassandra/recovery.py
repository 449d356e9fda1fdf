"""Orders that an instance left half made when it died: any instance gives back what they took."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import compress

from catalog.cassandra.register import SECOND, Note, Register
from catalog.cassandra.reserving import LEFT_BEHIND_SECONDS, Reservations
from catalog.domain import State
from store.cassandra.bridge import StoreAway
from store.clock import microseconds

log = logging.getLogger(__name__)

# A note may be written by a clock that is behind.
OVERLAP_SECONDS = 30
LOOKED_AT = 200
# Orders are being made meanwhile.
AT_ONCE = 16


class Recovery:
    """Looks once at every order of several lines that is noted as held; those that are stay so.

    One line is held by one batch or not at all: there is no half of it. What Cassandra did not
    answer in time is looked at again by the next run, and nothing else is.
    """

    def __init__(self, register: Register, reservations: Reservations) -> None:
        self._register = register
        self._reservations = reservations
        self._done_to = 0
        self._done: set[Note] = set()  # those that the next run meets again

    async def run(self, *, now: datetime) -> None:
        until = microseconds(now) - LEFT_BEHIND_SECONDS * SECOND
        last = Note(self._done_to - OVERLAP_SECONDS * SECOND, b"")
        failed: list[Note] = []
        try:
            while notes := await self._register.notes(
                State.HELD, after=last, until=until, limit=LOOKED_AT
            ):
                failed += await self._look_at(notes)
                last = notes[-1]
        except StoreAway:
            return
        self._done_to = min([until, *(note.updated_at for note in failed)])
        met_again = self._done_to - OVERLAP_SECONDS * SECOND
        self._done = {note for note in self._done if note.updated_at >= met_again}

    async def _look_at(self, notes: Sequence[Note]) -> list[Note]:
        """Those that could not be looked at."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def is_done(note: Note) -> bool:
            async with at_once:
                try:
                    await self._finish(note)
                except StoreAway:
                    return False
            return True

        new = [note for note in notes if note.lines > 1 and note not in self._done]
        done = await asyncio.gather(*map(is_done, new))
        self._done.update(compress(new, done))
        return [note for note in new if note not in self._done]

    async def _finish(self, note: Note) -> None:
        if await self._reservations.finish(note):
            log.warning(
                "The reservation of order %s was not finished when the catalog stopped;"
                " its stock is available again.",
                note.order_id,
            )
