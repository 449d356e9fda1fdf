"""Which checkouts are open, in whatever instance: hints by the minute, read once each.

A hint is written before its checkout begins and taken out when it has ended. Most are gone before
a lease is over, so only what is older than that is looked at; what is found open then stays known
here until it has ended. At its start an instance reads the hints of a whole day, the latest first.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carts.cassandra.rows import LEASE_SECONDS, SECOND
from carts.domain import CHECKOUT_LASTS, CheckoutIntent
from store.cassandra.bridge import Bridge
from store.clock import microseconds

SHARDS = 4
MINUTE = 60 * SECOND
# As long as orders knows what became of one.
KEPT_SECONDS = 25 * 3600
DAY_MINUTES = 24 * 60
# Of the day before the start, at a look.
MINUTES_A_LOOK = 60
# A hint may come late, by a clock that is behind.
OVERLAP = 2 * SECOND
_LASTS = int(CHECKOUT_LASTS.total_seconds()) * SECOND
_LEASE = int(LEASE_SECONDS) * SECOND


@dataclass(frozen=True, slots=True)
class Hint:
    """``valid_until`` in microseconds."""

    valid_until: int
    order_id: UUID
    user: str


class OpenCheckouts:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._known: dict[UUID, Hint] = {}
        self._read_to: int | None = None
        self._unread_minutes: list[int] = []
        self._looking = asyncio.Lock()

    async def note(self, intent: CheckoutIntent) -> None:
        await self._bridge.ask("note_checkout", *_place(_hint(intent)), intent.user, KEPT_SECONDS)

    async def forget(self, intent: CheckoutIntent) -> None:
        await self.drop(_hint(intent))

    async def drop(self, hint: Hint) -> None:
        """It has ended."""
        self._known.pop(hint.order_id, None)
        await self._bridge.ask("forget_checkout", *_place(hint))

    async def lasting(self, *, now: datetime) -> list[Hint]:
        """Those older than a lease that were not yet seen ended."""
        async with self._looking:
            await self._look(microseconds(now))
        return list(self._known.values())

    async def every(self, *, now: datetime) -> list[Hint]:
        """Those of this moment, too."""
        lasting = await self.lasting(now=now)
        young = await self._between(microseconds(now) + _LASTS - _LEASE, None)
        return list({hint.order_id: hint for hint in (*lasting, *young)}.values())

    async def _look(self, now: int) -> None:
        horizon = now + _LASTS - _LEASE
        if self._read_to is None:
            self._read_to = horizon
            last = horizon // MINUTE
            self._unread_minutes = list(range(last - DAY_MINUTES, last + 1))
        await self._look_back()
        self._add(await self._between(self._read_to - OVERLAP, horizon))
        self._read_to = horizon

    async def _look_back(self) -> None:
        minutes = self._unread_minutes[-MINUTES_A_LOOK:]
        if not minutes:
            return
        answers = await asyncio.gather(
            *(self._bridge.ask("old_checkouts", minutes, shard) for shard in range(SHARDS))
        )
        self._add(Hint(*row) for rows in answers for row in rows)
        del self._unread_minutes[-MINUTES_A_LOOK:]

    async def _between(self, after: int, until: int | None) -> list[Hint]:
        """``until`` None: all that are there yet."""
        last = until if until is not None else after + _LASTS + _LEASE
        answers = await asyncio.gather(
            *(
                self._bridge.ask("open_checkouts", minute, shard, after, last)
                for minute in range(after // MINUTE, last // MINUTE + 1)
                for shard in range(SHARDS)
            )
        )
        return [Hint(*row) for rows in answers for row in rows]

    def _add(self, hints: Iterable[Hint]) -> None:
        self._known |= {hint.order_id: hint for hint in hints}


def _hint(intent: CheckoutIntent) -> Hint:
    return Hint(microseconds(intent.valid_until), intent.order_id, intent.user)


def _place(hint: Hint) -> tuple[object, ...]:
    shard = hint.order_id.int % SHARDS
    return hint.valid_until // MINUTE, shard, hint.valid_until, hint.order_id
