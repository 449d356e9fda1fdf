"""Every statement of orders, by the name under which the metrics count it."""

from store.cassandra import keys
from store.cassandra.schema import Statements

PLAIN = {
    "order": "SELECT DISTINCT order_id, known FROM orders WHERE order_id = ?",
    "orders": "SELECT DISTINCT order_id, known FROM orders WHERE order_id IN ?",
    "whole_order": "SELECT known, message FROM orders WHERE order_id = ?",
    "first_messages": (
        "SELECT message FROM orders WHERE order_id IN ? AND destination = ? PER PARTITION LIMIT 1"
    ),
    "drop_message": (
        "DELETE FROM orders USING TIMESTAMP ?"
        " WHERE order_id = ? AND destination = ? AND sequence = ?"
    ),
    "list_for_user": (
        "INSERT INTO orders_by_user (user_id, created_at, order_key) VALUES (?, ?, ?)"
    ),
    "unlist_for_user": (
        "DELETE FROM orders_by_user WHERE user_id = ? AND created_at = ? AND order_key = ?"
    ),
    "of_user": (
        "SELECT created_at, order_key FROM orders_by_user"
        " WHERE user_id = ? AND (created_at, order_key) < (?, ?) LIMIT ?"
    ),
    "list_by_status": (
        "INSERT INTO orders_by_status"
        " (status, bucket, shard, created_at, order_key, version, next_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    ),
    "unlist_by_status": (
        "DELETE FROM orders_by_status WHERE status = ? AND bucket = ? AND shard = ?"
        " AND created_at = ? AND order_key = ? AND version = ?"
    ),
    "by_status": (
        "SELECT status, shard, created_at, order_key, version, next_at FROM orders_by_status"
        " WHERE status IN ? AND bucket = ? AND shard IN ?"
        " AND (created_at, order_key, version) < (?, ?, ?) PER PARTITION LIMIT ?"
    ),
    "announce": (
        "INSERT INTO orders_news"
        " (shard, bucket, at, order_id, user_id, version, status, created_at, next_at)"
        " VALUES (?, ?, now(), ?, ?, ?, ?, ?, ?)"
    ),
    "news": (
        "SELECT shard, bucket, at, order_id, user_id, version, status, created_at, next_at"
        " FROM orders_news WHERE shard IN ? AND bucket IN ? AND at > ? PER PARTITION LIMIT ?"
    ),
    "drop_news": "DELETE FROM orders_news WHERE shard = ? AND bucket = ? AND at = ?",
    "take_room": (
        "INSERT INTO orders_open (user_id, order_id, opened_at) VALUES (?, ?, ?) USING TTL ?"
    ),
    "leave_room": "DELETE FROM orders_open WHERE user_id = ? AND order_id = ?",
    "room": (
        "SELECT order_id, opened_at FROM orders_open WHERE user_id = ? AND order_id > ? LIMIT ?"
    ),
    "use_bucket": "INSERT INTO orders_buckets (kind, bucket) VALUES (?, ?)",
    "buckets": "SELECT bucket FROM orders_buckets WHERE kind = ?",
    "drop_bucket": "DELETE FROM orders_buckets WHERE kind = ? AND bucket = ?",
    "leases": "SELECT shard, owner FROM orders_leases WHERE name = ?",
    "be_there": "INSERT INTO orders_instances (name, instance) VALUES (?, ?) USING TTL ?",
    "instances": "SELECT instance FROM orders_instances WHERE name = ?",
    "be_gone": "DELETE FROM orders_instances WHERE name = ? AND instance = ?",
    # As every request needs it: the table itself, and so many replicas.
    "ping": "SELECT known FROM orders WHERE order_id = 00000000-0000-0000-0000-000000000000",
}
DECISIVE = {"settled_order": "SELECT version, mark FROM orders WHERE order_id = ? LIMIT 1"}
CONDITIONAL = {
    "take_lease": (
        "UPDATE orders_leases USING TTL ? SET owner = ? WHERE name = ? AND shard = ? IF owner = ?"
    ),
    "give_lease": "DELETE FROM orders_leases WHERE name = ? AND shard = ? IF owner = ?",
}
# These go together, in one conditional batch: "change_order".
MOVING = {
    "put_order": (
        "UPDATE orders USING TTL ? SET version = ?, mark = ?, known = ?"
        " WHERE order_id = ? IF version = ?"
    ),
    "put_message": (
        "INSERT INTO orders (order_id, destination, sequence, message) VALUES (?, ?, ?, ?)"
    ),
}

STATEMENTS = keys.STATEMENTS | Statements(
    plain=PLAIN, decisive=DECISIVE, conditional=CONDITIONAL, moving=MOVING
)
