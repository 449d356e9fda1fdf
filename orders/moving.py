"""Orders, what is being made, final answers and undelivered messages on Cassandra as rows of the
journal, and back: both have the same JSON.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from orders.cassandra import schema
from orders.cassandra.buckets import Buckets
from orders.cassandra.lists import Listed, Lists
from orders.cassandra.news import News
from orders.cassandra.partitions import FINAL, FINAL_SECONDS, LONG_SECONDS, PENDING
from orders.cassandra.room import Room
from orders.cassandra.statements import STATEMENTS
from orders.domain import Final, Known, Order, OutboxMessage, PendingOrder
from orders.journal import KNOWN, OUTBOX
from orders.records import encoded, known_from, message_from, record_of
from store.cassandra.bridge import Bridge
from store.cassandra.moving import Mover, Rows, Write, told
from store.cassandra.schema import Schema, Statements
from store.clock import microseconds
from store.journal.replay import Tables

_MOVING = Statements(
    plain={
        "move_order": (
            "UPDATE orders USING TTL ? AND TIMESTAMP ? SET version = ?, mark = ?, known = ?"
            " WHERE order_id = ?"
        ),
        "move_message": (
            "INSERT INTO orders (order_id, destination, sequence, message)"
            " VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
        ),
    },
    scan={
        "every_order": (
            "SELECT order_id, known, destination, sequence, message FROM orders"
            " WHERE token(order_id) > ? AND token(order_id) <= ?"
        ),
    },
)


def tables(rows: Rows, _: datetime) -> Tables:
    every = [row for row in rows["every_order"] if row[1] is not None]
    return {
        KNOWN: {str(order_id): known.encode() for order_id, known, *_ in every},
        OUTBOX: {
            f"{destination} {order_id} {sequence}": message.encode()
            for order_id, _, destination, sequence, message in every
            if message is not None
        },
    }


def writes(moved: Tables, now: datetime) -> Iterator[Write]:
    messages: dict[UUID, list[OutboxMessage]] = {}
    for row in moved.get(OUTBOX, {}).values():
        message = message_from(row)
        messages.setdefault(message.order_id, []).append(message)
    for key, row in moved.get(KNOWN, {}).items():
        known = known_from(UUID(key), row)
        yield from _known(known, messages.get(known.id, []), microseconds(now))


def _known(known: Known, messages: Sequence[OutboxMessage], at: int) -> Iterator[Write]:
    ttl, version = _kept(known, messages)
    text = encoded(record_of(known))
    yield told("move_order", ttl, at, version, uuid4(), text, known.id)
    for message in messages:
        place = (message.order_id, message.destination, message.sequence)
        yield told("move_message", *place, encoded(message), at)
    if isinstance(known, Order):
        yield from _listed(known)
    if messages or isinstance(known, PendingOrder):
        # So that its shard's owner looks at it.
        yield partial(_announced, known)


def _kept(known: Known, messages: Sequence[OutboxMessage]) -> tuple[int, int]:
    """Seconds to live, and the version."""
    match known:
        case Order(version=version):
            return 0, version
        case Final():
            return LONG_SECONDS if messages else FINAL_SECONDS, FINAL
    return LONG_SECONDS, PENDING


def _listed(order: Order) -> Iterator[Write]:
    row = Listed.of(order)
    yield lambda bridge: Lists(bridge, Buckets(bridge)).add(row, order.user_id)
    yield told("list_for_user", order.user_id, row.created_at, order.id.bytes)
    if not order.stage.is_last:
        yield lambda bridge: Room(bridge).keep(order.user_id, order.id)


async def _announced(known: Known, bridge: Bridge) -> None:
    row = Listed.of(known) if isinstance(known, Order) else None
    await News(bridge, Buckets(bridge)).announce(known.id, known.user_id, row)


MOVER = Mover(
    schema=Schema("orders", schema.ORDERS.tables, STATEMENTS | _MOVING, schema.ORDERS.trial),
    scans=tuple(_MOVING.scan),
    tables=tables,
    writes=writes,
)
