"""Orders that outlive their process: the memory store, and a journal of all that it changes.

What another service may be told of is safe on the disk first; that a message arrived, or that an
order's time is over, is found out once more after a loss of power.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from orders.domain import (
    Destination,
    Final,
    Known,
    Order,
    OutboxMessage,
    PendingOrder,
)
from orders.memory import MOST_FINALS, MemoryOrders
from orders.records import known_from, message_from, record_of
from store.journal import Change, Journal

KNOWN, OUTBOX = "known", "outbox"


class JournaledOrders(MemoryOrders):
    """The memory changes at once; whoever changed it goes on when the journal has it."""

    def __init__(self, journal: Journal, *, most_finals: int = MOST_FINALS) -> None:
        super().__init__(most_finals=most_finals)
        self._journal = journal
        self._outbox.add(map(message_from, journal.take(OUTBOX).values()))
        self._restore([known_from(UUID(key), row) for key, row in journal.take(KNOWN).items()])
        journal.keep(self._rows)

    async def begin(self, pending: PendingOrder, *, most_open: int) -> None:
        self._journal.admit()
        await super().begin(pending, most_open=most_open)
        await self._journal.write([_put(pending)], synced=True)

    async def forget(self, pending: PendingOrder) -> None:
        self._journal.admit()
        await super().forget(pending)
        await self._journal.write([(KNOWN, pending.id, None)], synced=True)

    async def refuse(self, final: Final, messages: Sequence[OutboxMessage]) -> None:
        self._journal.admit()
        await super().refuse(final, messages)
        await self._journal.write([_put(final), *map(_send, messages)], synced=True)

    async def commit(
        self, order: Order, *, expected_version: int, messages: Sequence[OutboxMessage]
    ) -> None:
        self._journal.admit()
        await super().commit(order, expected_version=expected_version, messages=messages)
        await self._journal.write([_put(order), *map(_send, messages)], synced=True)

    async def delete(self, order: Order, final: Final) -> None:
        self._journal.admit()
        await super().delete(order, final)
        await self._journal.write([_put(final)], synced=False)

    async def next_messages(
        self, destination: Destination, order_ids: Iterable[UUID]
    ) -> Sequence[OutboxMessage]:
        """Nothing is told that a crash could still take back."""
        messages = await super().next_messages(destination, order_ids)
        await self._journal.settled()
        return messages

    async def delivered(self, messages: Sequence[OutboxMessage]) -> Sequence[datetime]:
        self._journal.admit()
        due = await super().delivered(messages)
        gone = [(OUTBOX, _key(message), None) for message in messages]
        await self._journal.write(gone, synced=False)
        return due

    def _rows(self) -> Iterator[Change]:
        yield from map(_put, list(self._known.values()))
        yield from map(_send, list(self._outbox))


def _put(known: Known) -> Change:
    return KNOWN, known.id, record_of(known)


def _send(message: OutboxMessage) -> Change:
    return OUTBOX, _key(message), message


def _key(message: OutboxMessage) -> str:
    return f"{message.destination} {message.order_id} {message.sequence}"
