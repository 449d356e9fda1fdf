"""Orders that an instance left half made when it died: any instance gives back what they took."""

import logging
from datetime import datetime

from catalog.cassandra.bridge import StoreAway
from catalog.cassandra.movements import microseconds
from catalog.cassandra.register import Note, Register
from catalog.cassandra.reserving import Reservations
from catalog.domain import State

log = logging.getLogger(__name__)

# An order is made within a second; what is still being made after so long was left behind.
LEFT_BEHIND_SECONDS = 10
# A note may be written by a clock that is behind.
OVERLAP_SECONDS = 30
LOOKED_AT = 200
SECOND = 1_000_000


class Recovery:
    """Looks once at every order that is noted as held; those that are stay so."""

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
                for note in notes:
                    if await self._reservations.finish(note):
                        log.warning("Order %s was left half made; it is undone", note.order_id)
                last = notes[-1]
            self._done_to = until
        except StoreAway:
            """The next run begins where this one began."""
