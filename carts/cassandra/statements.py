"""Every statement of the requests, by the name under which the metrics count it."""

from store.cassandra import keys
from store.cassandra.schema import Statements

_CART = "version, cart, changes, holder, held_until"

_PLAIN = {
    "cart": f"SELECT {_CART} FROM carts WHERE user_id = ?",
    "fill_cart": "INSERT INTO filled_carts (shard, user_id) VALUES (?, ?) USING TIMESTAMP ?",
    "empty_cart": "DELETE FROM filled_carts USING TIMESTAMP ? WHERE shard = ? AND user_id = ?",
    "filled_carts": ("SELECT user_id FROM filled_carts WHERE shard = ? AND user_id > ? LIMIT ?"),
    "count_carts": "SELECT COUNT(*) FROM filled_carts WHERE shard = ?",
    "note_checkout": (
        "INSERT INTO open_checkouts (minute, shard, valid_until, order_id, user_id)"
        " VALUES (?, ?, ?, ?, ?) USING TTL ?"
    ),
    "forget_checkout": (
        "DELETE FROM open_checkouts"
        " WHERE minute = ? AND shard = ? AND valid_until = ? AND order_id = ?"
    ),
    "open_checkouts": (
        "SELECT valid_until, order_id, user_id FROM open_checkouts"
        " WHERE minute = ? AND shard = ? AND valid_until > ? AND valid_until <= ?"
    ),
    "old_checkouts": (
        "SELECT valid_until, order_id, user_id FROM open_checkouts WHERE minute IN ? AND shard = ?"
    ),
    "recent_views": "SELECT product_id, viewed_at FROM recent_views WHERE user_id = ?",
    "put_view": (
        "INSERT INTO recent_views (user_id, product_id, viewed_at) VALUES (?, ?, ?)"
        " USING TTL ? AND TIMESTAMP ?"
    ),
    "drop_view": (
        "DELETE FROM recent_views USING TIMESTAMP ? WHERE user_id = ? AND product_id = ?"
    ),
    # As every request needs it: the table itself, and so many replicas.
    "ping": "SELECT version FROM carts WHERE user_id = 'ping'",
}
# After a write of which nobody knows whether it happened.
_DECISIVE = {"settled_cart": _PLAIN["cart"]}
_MOVING = {
    "put_cart": (
        "UPDATE carts USING TTL ? SET version = ?, cart = ?, changes = ?, holder = ?,"
        " held_until = ? WHERE user_id = ? IF version = ?"
    ),
}

STATEMENTS = Statements(plain=_PLAIN, decisive=_DECISIVE, moving=_MOVING) | keys.STATEMENTS
