"""Orders that outlive their process: the memory store, and a journal of all that it changes.

What another service may be told of is safe on the disk first; that a message arrived, or that an
order's time is over, is found out once more after a loss of power.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

import msgspec

from orders.domain import (
    Destination,
    Final,
    Known,
    Order,
    OutboxMessage,
    PendingOrder,
    Refusal,
    Status,
)
from orders.memory import MOST_FINALS, MemoryOrders
from store.journal import Change, Journal

KNOWN, OUTBOX = "known", "outbox"


class _KnownRow(msgspec.Struct, omit_defaults=True):
    """A pending order, an order, or with ``keep_until`` what stays of either."""

    user_id: str
    order: Order | None = None
    pending: PendingOrder | None = None
    refusal: Refusal | None = None
    keep_until: datetime | None = None


class _News(TypedDict, total=False):
    order_id: UUID
    user_id: str
    status: Status
    updated_at: datetime
    total: Decimal
    version: int


class _MessageRow(msgspec.Struct):
    order_id: UUID
    destination: Destination
    kind: str
    sequence: int
    payload: _News


_known_row = msgspec.json.Decoder(_KnownRow, float_hook=Decimal)
_message_row = msgspec.json.Decoder(_MessageRow)


class JournaledOrders(MemoryOrders):
    """The memory changes at once; whoever changed it goes on when the journal has it."""

    def __init__(self, journal: Journal, *, most_finals: int = MOST_FINALS) -> None:
        super().__init__(most_finals=most_finals)
        self._journal = journal
        self._outbox.add(_messages(journal.take(OUTBOX)))
        self._restore([_known(key, row) for key, row in journal.take(KNOWN).items()])
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
    match known:
        case Order():
            row = _KnownRow(known.user_id, order=known)
        case PendingOrder():
            row = _KnownRow(known.user_id, pending=known)
        case Final(answer=Order() as order):
            row = _KnownRow(known.user_id, order=order, keep_until=known.keep_until)
        case Final(answer=Refusal() as refusal):
            row = _KnownRow(known.user_id, refusal=refusal, keep_until=known.keep_until)
    return KNOWN, known.id, row


def _known(key: str, encoded: bytes) -> Known:
    row = _known_row.decode(encoded)
    known = row.order or row.pending or row.refusal
    assert known is not None
    if row.keep_until is None:
        assert not isinstance(known, Refusal)
        return known
    assert not isinstance(known, PendingOrder)
    return Final(UUID(key), row.user_id, known, row.keep_until)


def _send(message: OutboxMessage) -> Change:
    return OUTBOX, _key(message), message


def _key(message: OutboxMessage) -> str:
    return f"{message.destination} {message.order_id} {message.sequence}"


def _messages(rows: dict[str, bytes]) -> Iterator[OutboxMessage]:
    for encoded in rows.values():
        row = _message_row.decode(encoded)
        yield OutboxMessage(row.order_id, row.destination, row.kind, row.sequence, {**row.payload})
