"""What is known of an id, and a message, as records that outlive their process."""

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

# Money is a number in JSON, as everywhere in the shop.
_encoder = msgspec.json.Encoder(decimal_format="number")


class KnownRecord(msgspec.Struct, omit_defaults=True):
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


class _MessageRecord(msgspec.Struct):
    order_id: UUID
    destination: Destination
    kind: str
    sequence: int
    payload: _News


_known = msgspec.json.Decoder(KnownRecord, float_hook=Decimal)
_message = msgspec.json.Decoder(_MessageRecord)


def record_of(known: Known) -> KnownRecord:
    match known:
        case Order():
            return KnownRecord(known.user_id, order=known)
        case PendingOrder():
            return KnownRecord(known.user_id, pending=known)
        case Final(answer=Order() as order):
            return KnownRecord(known.user_id, order=order, keep_until=known.keep_until)
        case Final(answer=Refusal() as refusal):
            return KnownRecord(known.user_id, refusal=refusal, keep_until=known.keep_until)
    raise TypeError(known)


def known_from(order_id: UUID, encoded: bytes | str) -> Known:
    record = _known.decode(encoded)
    known = record.order or record.pending or record.refusal
    assert known is not None
    if record.keep_until is None:
        assert not isinstance(known, Refusal)
        return known
    assert not isinstance(known, PendingOrder)
    return Final(order_id, record.user_id, known, record.keep_until)


def message_from(encoded: bytes | str) -> OutboxMessage:
    record = _message.decode(encoded)
    return OutboxMessage(
        record.order_id, record.destination, record.kind, record.sequence, {**record.payload}
    )


def encoded(record: KnownRecord | OutboxMessage) -> str:
    return _encoder.encode(record).decode()
