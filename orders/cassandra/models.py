"""The tables of orders; requests speak CQL (statements.py).

Moments are microseconds since 1970. ``shard`` is one of ``sharding.SHARDS`` by the order's id.
"""

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model

from store.cassandra.models import IdempotencyKey

# A row that comes back from the dead is compared with its order like every other, and dropped.
HINTS = {"gc_grace_seconds": 600}


class Order(Model):
    """What is known of an id (the static columns), and a row for each message not delivered yet.

    Only batches that check ``version`` write here: 0 is a pending order, -1 a final answer.
    ``mark`` is different in every write, so that its writer finds out whether it happened.
    """

    __table_name__ = "orders"

    order_id = columns.UUID(partition_key=True)
    destination = columns.Text(primary_key=True)
    sequence = columns.Integer(primary_key=True)
    version = columns.Integer(static=True)
    mark = columns.UUID(static=True)
    known = columns.Text(static=True)
    message = columns.Text()


class OrderByUser(Model):
    """A user's list. A row may be out of date, none is missing."""

    __table_name__ = "orders_by_user"
    __options__ = HINTS

    user_id = columns.Text(partition_key=True)
    created_at = columns.BigInt(primary_key=True, clustering_order="DESC")
    order_key = columns.Blob(primary_key=True, clustering_order="DESC")


class OrderByStatus(Model):
    """The lists of all orders, and what a shard's owner has to do when; ``bucket`` is of
    ``created_at``. An order stands here once for each version that was attempted, until its
    shard's owner has seen which of them came about.
    """

    __table_name__ = "orders_by_status"
    __options__ = HINTS

    status = columns.Text(partition_key=True)
    bucket = columns.Integer(partition_key=True)
    shard = columns.Integer(partition_key=True)
    created_at = columns.BigInt(primary_key=True, clustering_order="DESC")
    order_key = columns.Blob(primary_key=True, clustering_order="DESC")
    version = columns.Integer(primary_key=True, clustering_order="DESC")
    next_at = columns.BigInt()


class OrderNews(Model):
    """That somebody is about to change an order: for its shard's owner, who alone deletes it."""

    __table_name__ = "orders_news"
    __options__ = HINTS

    shard = columns.Integer(partition_key=True)
    bucket = columns.Integer(partition_key=True)
    at = columns.TimeUUID(primary_key=True)
    order_id = columns.UUID()
    user_id = columns.Text()
    version = columns.Integer()
    status = columns.Text()
    created_at = columns.BigInt()
    next_at = columns.BigInt()


class OpenOrder(Model):
    """The orders of a user that are being made or are not over: their number is bounded."""

    __table_name__ = "orders_open"
    __options__ = HINTS

    user_id = columns.Text(partition_key=True)
    order_id = columns.UUID(primary_key=True)
    opened_at = columns.BigInt()


class OrderBucket(Model):
    """Which buckets hold anything: no other is ever read."""

    __table_name__ = "orders_buckets"
    __options__ = HINTS

    kind = columns.Text(partition_key=True)
    bucket = columns.Integer(primary_key=True, clustering_order="DESC")


class Lease(Model):
    """Which instance looks after a shard, for a few seconds at a time; conditional writes only."""

    __table_name__ = "orders_leases"
    __options__ = HINTS

    name = columns.Text(partition_key=True)
    shard = columns.Integer(primary_key=True)
    owner = columns.UUID()


class Instance(Model):
    """The instances that are there, each by a row that is written again and again."""

    __table_name__ = "orders_instances"
    __options__ = HINTS

    name = columns.Text(partition_key=True)
    instance = columns.UUID(primary_key=True)


TABLES = (
    Order,
    OrderByUser,
    OrderByStatus,
    OrderNews,
    OpenOrder,
    OrderBucket,
    Lease,
    Instance,
    IdempotencyKey,
)
