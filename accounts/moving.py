"""People and the news of their orders on Cassandra as rows of the journal, and back.

The journal does not say whose an order is; the last steps do, and otherwise it ended so long ago
that only a repetition of its last step would look for it: such a one is left out.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec

from accounts.cassandra import schema
from accounts.cassandra.ids import NAME
from accounts.cassandra.people import BUCKET
from accounts.cassandra.rows import step_of, step_values, user_of
from accounts.cassandra.shared import KEEP_ENDED, KEEP_STRANGERS
from accounts.cassandra.statements import STATEMENTS
from accounts.domain import OrderUpdate, User
from accounts.journal import (
    ORDERS,
    SPENT,
    UPDATES,
    USERS,
    OrderRow,
    decode_order,
    decode_spent,
    decode_update,
    decode_user,
)
from accounts.repositories import UPDATES_KEPT
from store.cassandra.moving import Mover, Rows, Write, told
from store.cassandra.schema import Schema, Statements
from store.clock import microseconds
from store.journal.replay import Tables
from store.money import ZERO

_USING = "USING TTL ? AND TIMESTAMP ?"
_RANGE = "WHERE token({0}) > ? AND token({0}) <= ?"
_MOVING = Statements(
    plain={
        "move_user": (
            "UPDATE users USING TIMESTAMP ? SET mark = ?, id = ?, username = ?, full_name = ?,"
            " phone = ?, is_admin = ?, password_hash = ?, created_at = ? WHERE name_key = ?"
        ),
        "move_ids": "UPDATE id_blocks USING TIMESTAMP ? SET free_from = ? WHERE name = ?",
        "move_sum": (
            f"UPDATE news {_USING} SET version = 1, arrived = ?, spent = ?, is_registered = ?"
            " WHERE username = ? AND kind = 'sum' AND key = ''"
        ),
        "move_step": (
            f"UPDATE news {_USING} SET arrived = ?, order_id = ?, status = ?, updated_at = ?,"
            " total = ?, version = ? WHERE username = ? AND kind = 'step' AND key = ?"
        ),
        "move_order": (
            f"UPDATE news {_USING} SET version = ?, counted = ?, mark = ?"
            " WHERE username = ? AND kind = 'order' AND key = ?"
        ),
    },
    scan={
        "every_user": (
            "SELECT name_key, id, username, full_name, phone, is_admin, password_hash, created_at"
            f" FROM users {_RANGE.format('name_key')}"
        ),
        "all_news": (
            "SELECT username, kind, key, arrived, spent, counted, TTL(counted), order_id, status,"
            f" updated_at, total, version FROM news {_RANGE.format('username')}"
        ),
    },
)
_encoder = msgspec.json.Encoder(decimal_format="number")


def tables(rows: Rows, now: datetime) -> Tables:
    news = [row for row in rows["all_news"] if row[-1] is not None]
    sums = [row for row in news if row[1] == "sum" and row[3]]
    spent = {row[0]: row[4] for row in sums}
    users = [
        user_of(row, spent=spent.get(row[2], ZERO))
        for row in rows["every_user"]
        if row[1] is not None
    ]
    steps = sorted((row for row in news if row[1] == "step"), key=lambda row: (row[0], row[3]))
    updates = [step_of((row[0], row[3], *row[7:12])) for row in steps]
    orders = {row[2]: _order_row(row, now) for row in news if row[1] == "order"}
    return {
        USERS: {user.id: _encoder.encode(user) for user in sorted(users, key=_id)},
        SPENT: {username: _encoder.encode(total) for username, total in spent.items()},
        UPDATES: {each.event_id: _encoder.encode(each) for each in updates},
        ORDERS: {key: _encoder.encode(row) for key, row in orders.items()},
    }


def _id(user: User) -> str:
    return user.id


def _order_row(row: tuple[object, ...], now: datetime) -> OrderRow:
    """What ended is what ends: by how long it stays, and it stays for a fixed time."""
    counted, left, version = row[5], row[6], row[-1]
    assert isinstance(counted, Decimal)
    assert isinstance(version, int)
    ended_at = None
    if isinstance(left, int) and (stays := timedelta(seconds=left)) <= KEEP_ENDED:
        ended_at = now - (KEEP_ENDED - stays)
    return OrderRow(version, counted, ended_at)


def writes(moved: Tables, now: datetime) -> Iterator[Write]:
    users = [decode_user(row) for row in moved.get(USERS, {}).values()]
    updates = [decode_update(row) for row in moved.get(UPDATES, {}).values()]
    at = microseconds(now)
    for user in users:
        yield from _user(user, at)
    free_from = max((int(user.id) for user in users), default=0) + 1
    yield told("move_ids", at, free_from, NAME)
    kept = {user.username: 0 for user in users}
    spent = {user: decode_spent(row) for user, row in moved.get(SPENT, {}).items()}
    steps: dict[str, list[OrderUpdate]] = {}
    for update in updates:
        steps.setdefault(update.user_id, []).append(update)
    for username in {**kept, **spent}:
        ttl = kept.get(username, int(KEEP_STRANGERS.total_seconds()))
        yield from _news(username, spent.get(username, ZERO), steps.get(username, []), ttl, at)
    owners = {update.order_id: update.user_id for update in updates}
    for key, row in moved.get(ORDERS, {}).items():
        if (owner := owners.get(UUID(key))) is not None:
            ttl = kept.get(owner, int(KEEP_STRANGERS.total_seconds()))
            yield from _order(UUID(key), decode_order(row), owner, ttl, now)


def _user(user: User, at: int) -> Iterator[Write]:
    key, number = user.username.casefold(), int(user.id)
    said = (user.username, user.full_name, user.phone, user.is_admin)
    made_at = microseconds(user.created_at)
    yield told("index_user", number // BUCKET, number, key)
    yield told("move_user", at, uuid4(), number, *said, user.password_hash, made_at, key)


def _news(
    username: str, spent: Decimal, steps: list[OrderUpdate], ttl: int, at: int
) -> Iterator[Write]:
    yield told("move_sum", ttl, at, len(steps), spent, ttl == 0, username)
    for number, update in enumerate(steps, 1):
        place = f"{number % UPDATES_KEPT:02d}"
        yield told("move_step", ttl, at, number, *step_values(update), username, place)


def _order(order_id: UUID, row: OrderRow, owner: str, ttl: int, now: datetime) -> Iterator[Write]:
    if row.ended_at is not None:
        ttl = max(1, int((row.ended_at + KEEP_ENDED - now).total_seconds()))
    at = microseconds(now)
    yield told("own_order", order_id, owner, ttl)
    yield told("move_order", ttl, at, row.version, row.counted, uuid4(), owner, str(order_id))


MOVER = Mover(
    schema=Schema("accounts", schema.ACCOUNTS.tables, STATEMENTS | _MOVING, schema.ACCOUNTS.trial),
    scans=tuple(_MOVING.scan),
    tables=tables,
    writes=writes,
)
