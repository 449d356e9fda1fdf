"""Orders that an instance left half made when it died: any instance gives back what they took."""

import asyncio
import logging
from datetime import datetime

from catalog.cassandra.bridge import StoreAway
from catalog.cassandra.movements import microseconds
from catalog.cassandra.register import SECOND, Note, Register
from catalog.cassandra.reserving import LEFT_BEHIND_SECONDS, Reservations
from catalog.domain import State

log = logging.getLogger(__name__)

# A note may be written by a clock that is behind.
OVERLAP_SECONDS = 30
LOOKED_AT = 200


class Recovery:
    """Looks once at every order of several lines that is noted as held; those that are stay so.

    One line is held by one batch or not at all: there is no half of it.
    """

    def __init__(self, register: Register, reservations: Reservations) -> None:
        self._register = register
        self._reservations = reservations
        self._done_to = 0

    async def run(self, *, now: datetime) -> None:
        until = microseconds(now) - LEFT_BEHIND_SECONDS * SECOND
        last = Note(self._done_to - OVERLAP_SECONDS * SECOND, b"")
        try:
            while notes := await self._register.notes(
                State.HELD, after=last, until=until, limit=LOOKED_AT
            ):
                await asyncio.gather(*(self._finish(note) for note in notes if note.lines > 1))
                last = notes[-1]
            self._done_to = until
        except StoreAway:
            """The next run begins where this one began."""

    async def _finish(self, note: Note) -> None:
        if await self._reservations.finish(note):
            log.warning(
                "The reservation of order %s was not finished when the catalog stopped;"
                " its stock is available again.",
                note.order_id,
            )
