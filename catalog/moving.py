"""Products, their books and reservations on Cassandra as rows of the journal, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from catalog.cassandra import schema
from catalog.cassandra.desks import line_of
from catalog.cassandra.movements import MAKING, Entry
from catalog.cassandra.register import Asked, Register
from catalog.cassandra.rows import product_of, values_of
from catalog.cassandra.statements import STATEMENTS
from catalog.domain import Product, Reservation, State, StockLine
from catalog.journal import (
    PRODUCTS,
    RESERVATIONS,
    STOCK,
    decode_product,
    decode_reservation,
    decode_stock,
    restored,
    row_of,
)
from store.cassandra.bridge import Bridge
from store.cassandra.moving import Mover, Rows, Write, told
from store.cassandra.schema import Schema, Statements
from store.clock import microseconds, moment
from store.journal.replay import Tables
from store.moving.errors import CannotMove
from store.tasks import Tasks

_LINE = "initial, available, adjustments, reserved, sold, withdrawn, is_open"
_ENTRY = "order_id, quantity, state, place, name, price, created_at, updated_at"
_MOVING = Statements(
    plain={
        "move_line": (
            "UPDATE stock USING TIMESTAMP ? SET version = 1, initial = ?, available = ?,"
            " adjustments = ?, reserved = ?, sold = ?, withdrawn = ?, is_open = ?"
            " WHERE product_id = ?"
        ),
        "move_entry": (
            "UPDATE stock USING TTL ? AND TIMESTAMP ? SET quantity = ?, state = ?, place = ?,"
            " name = ?, price = ?, created_at = ?, updated_at = ?"
            " WHERE product_id = ? AND order_id = ?"
        ),
    },
    scan={
        "every_entry": (
            f"SELECT product_id, {_LINE}, {_ENTRY} FROM stock"
            " WHERE token(product_id) > ? AND token(product_id) <= ?"
        ),
        "every_request": (
            "SELECT order_id, asked, closed_as, closed_at FROM reservations"
            " WHERE token(order_id) > ? AND token(order_id) <= ?"
        ),
    },
)
_encoder = msgspec.json.Encoder(decimal_format="number")
Entries = Mapping[tuple[UUID, UUID], Entry]
"""By order and product."""


def tables(rows: Rows, _: datetime) -> Tables:
    """Raises CannotMove while an order is half held."""
    lines = {row[0]: line_of(row[0], row[1:7], is_open=row[7]) for row in _with_books(rows)}
    found = [product_of(row[1:]) for row in rows["all_products"]]
    products = [product for product in found if product is not None]
    for product in products:
        lines.setdefault(product.product_id, _untouched(product))
    reservations = _reservations(rows)
    return {
        PRODUCTS: {str(each.product_id): _encoder.encode(row_of(each)) for each in products},
        STOCK: {str(key): _encoder.encode(line) for key, line in lines.items()},
        RESERVATIONS: {str(each.order_id): _encoder.encode(each) for each in reservations},
    }


def _with_books(rows: Rows) -> Iterator[Sequence[Any]]:
    return (row for row in rows["every_entry"] if row[7] is not None)


def _untouched(product: Product) -> StockLine:
    count = product.stock_count
    return StockLine(product_id=product.product_id, initial=count, available=count)


def _reservations(rows: Rows) -> list[Reservation]:
    names = Entry.__dataclass_fields__
    entries = {
        (row[8], row[0]): Entry(**dict(zip(names, row[8:], strict=True)))
        for row in rows["every_entry"]
        if row[8] is not None and row[9] is not None
    }
    if making := {order for (order, _), each in entries.items() if each.state == MAKING}:
        raise CannotMove(
            f"{len(making)} orders are half held; start catalog for half a minute, which ends them."
        )
    found: dict[UUID, Reservation] = {}
    for row in rows["every_request"]:
        if (reservation := _reservation(row, entries)) is not None:
            found[reservation.order_id] = reservation
    return list(found.values())


def _reservation(row: Sequence[Any], entries: Entries) -> Reservation | None:
    """What came of a request, or None: it was refused."""
    order_id, asked, closed_as, closed_at = row
    if asked is not None:
        request = Asked.parsed(asked)
        held = [(key, entries.get((order_id, key))) for key in request.product_ids]
        if all(entry is not None for _, entry in held):
            return request.reservation([(key, entry) for key, entry in held if entry is not None])
    if closed_as is not None:
        return Reservation.marker(order_id, State(closed_as), now=moment(closed_at))
    return None


def writes(moved: Tables, now: datetime) -> Iterator[Write]:
    at = microseconds(now)
    lines = {UUID(key): decode_stock(row) for key, row in moved.get(STOCK, {}).items()}
    products = moved.get(PRODUCTS, {})
    for key, row in products.items():
        product = restored(decode_product(row), lines[UUID(key)])
        yield told("import_product", *values_of(product), at)
        if lines[product.product_id] == _untouched(product):
            del lines[product.product_id]
    for product_id, line in lines.items():
        yield told("move_line", at, *astuple(line)[1:], product_id)
    for row in moved.get(RESERVATIONS, {}).values():
        yield from _reserved(decode_reservation(row), now)


def _reserved(reservation: Reservation, now: datetime) -> Iterator[Write]:
    order_id, moved_at = reservation.order_id, microseconds(reservation.updated_at)
    ttl = _left(reservation, now)
    if reservation.user_id is None:
        yield told("close_id", ttl, reservation.state, moved_at, order_id)
        return
    for place, line in enumerate(reservation.lines):
        said = (line.quantity, reservation.state, place, line.name, line.price)
        moments = (microseconds(reservation.created_at), moved_at)
        keys = (line.product_id, order_id)
        yield told("move_entry", ttl, microseconds(now), *said, *moments, *keys)
    if reservation.lines:
        yield partial(_noted, reservation, ttl)


async def _noted(reservation: Reservation, ttl: int, bridge: Bridge) -> None:
    assert reservation.user_id is not None
    asked = Asked.of(reservation.user_id, reservation.quantities())
    at = microseconds(reservation.updated_at)
    register = Register(bridge, Tasks(), keep_seconds=ttl)
    await register.announce(reservation.order_id, asked, reservation.state, at=at)


def _left(reservation: Reservation, now: datetime) -> int:
    """Seconds for which it is still known; 0 is for good."""
    if reservation.state is State.HELD:
        return 0
    ends_at = reservation.updated_at + timedelta(seconds=settings.RESERVATION_RETENTION)
    return max(1, int((ends_at - now).total_seconds()))


MOVER = Mover(
    schema=Schema("catalog", schema.CATALOG.tables, STATEMENTS | _MOVING, schema.CATALOG.trial),
    scans=("all_products", *_MOVING.scan),
    tables=tables,
    writes=writes,
)
