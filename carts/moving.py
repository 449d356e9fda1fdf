"""Carts and recent views on Cassandra as rows of the journal, and back.

Answers to idempotency keys stay behind: they end within a day, and the order that a key made is
found by the id that follows from the key.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from carts.cassandra import schema
from carts.cassandra.checkouts import OpenCheckouts
from carts.cassandra.filled import FilledCarts
from carts.cassandra.rows import CartRow
from carts.cassandra.statements import STATEMENTS
from carts.cassandra.views import KEPT_SECONDS
from carts.domain import MAX_RECENT_VIEWS, Cart, RecentViews, View
from carts.journal import CARTS, VIEWS, decode_cart, decode_views
from store.cassandra.moving import Mover, Rows, Write, told
from store.cassandra.schema import Schema, Statements
from store.clock import microseconds, moment
from store.journal.replay import Tables

_MOVING = Statements(
    plain={
        "move_cart": (
            "UPDATE carts USING TIMESTAMP ? SET version = ?, cart = ?, changes = ?"
            " WHERE user_id = ?"
        ),
    },
    scan={
        "every_cart": (
            "SELECT user_id, cart FROM carts WHERE token(user_id) > ? AND token(user_id) <= ?"
        ),
        "every_view": (
            "SELECT user_id, product_id, viewed_at FROM recent_views"
            " WHERE token(user_id) > ? AND token(user_id) <= ?"
        ),
    },
)
# As the journal has money.
_encoder = msgspec.json.Encoder(decimal_format="number")


def tables(rows: Rows, _: datetime) -> Tables:
    carts = [decode_cart(cart) for _, cart in rows["every_cart"] if cart is not None]
    views: dict[str, list[View]] = {}
    for user, product_id, viewed_at in rows["every_view"]:
        views.setdefault(user, []).append(View(product_id, moment(viewed_at)))
    return {
        CARTS: {each.user: _encoder.encode(each) for each in carts if not each.is_forgettable},
        VIEWS: {user: _encoded(seen) for user, seen in views.items()},
    }


def writes(moved: Tables, now: datetime) -> Iterator[Write]:
    for row in moved.get(CARTS, {}).values():
        yield from _cart(decode_cart(row), now)
    for user, row in moved.get(VIEWS, {}).items():
        yield from _views(user, decode_views(row).views, now)


def _cart(cart: Cart, now: datetime) -> Iterable[Write]:
    """Nobody holds its checkout: the first instance that looks carries it out."""
    row, at = CartRow(Cart(cart.user)).followed_by(cart, now=now), microseconds(now)
    text = msgspec.json.encode(cart).decode()
    yield told("move_cart", at, row.version, text, b"".join(row.changes), cart.user)
    if cart.lines:
        yield lambda bridge: FilledCarts(bridge).add(row)
    if (intent := cart.intent) is not None:
        yield lambda bridge: OpenCheckouts(bridge).note(intent)


def _views(user: str, views: Iterable[View], now: datetime) -> Iterable[Write]:
    for view in views:
        ends_at = view.viewed_at + timedelta(seconds=KEPT_SECONDS)
        if (left := int((ends_at - now).total_seconds())) > 0:
            at = microseconds(view.viewed_at)
            yield told("put_view", user, view.product_id, at, left, at)


def _encoded(seen: list[View]) -> bytes:
    newest = sorted(seen, key=lambda view: view.viewed_at, reverse=True)
    return msgspec.json.encode(RecentViews(tuple(newest[:MAX_RECENT_VIEWS])))


MOVER = Mover(
    schema=Schema("carts", schema.CARTS.tables, STATEMENTS | _MOVING, schema.CARTS.trial),
    scans=tuple(_MOVING.scan),
    tables=tables,
    writes=writes,
)
