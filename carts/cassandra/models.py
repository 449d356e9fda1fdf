"""The tables of carts; requests speak CQL (statements.py).

Moments are microseconds since 1970.
"""

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model

from store.cassandra.models import IdempotencyKey


class Cart(Model):
    """A user's cart with its open checkout, in one row; conditional writes alone, which all check
    ``version`` and raise it.

    ``cart`` is the JSON that the journal has, too. ``changes`` are the ids of the last ones, by
    which a change whose answer was lost finds out that it was made. Who carries the open
    checkout out is ``holder``, unless the lease is over.
    """

    __table_name__ = "carts"

    user_id = columns.Text(partition_key=True)
    version = columns.BigInt()
    cart = columns.Text()
    changes = columns.Blob()
    holder = columns.UUID()
    held_until = columns.BigInt()


class FilledCart(Model):
    """Hints which carts hold something: a row may be out of date, none is missing.

    Written with the cart's version as the timestamp, so that the last change has its way.
    """

    __table_name__ = "filled_carts"
    # A row that comes back from the dead is checked like every other, and dropped.
    __options__ = {"gc_grace_seconds": 600}

    shard = columns.Integer(partition_key=True)
    user_id = columns.Text(primary_key=True)


class OpenCheckout(Model):
    """Hints which checkouts are open, by the minute in which they stop being valid."""

    __table_name__ = "open_checkouts"
    __options__ = {"gc_grace_seconds": 600}

    minute = columns.Integer(partition_key=True)
    shard = columns.Integer(partition_key=True)
    valid_until = columns.BigInt(primary_key=True)
    order_id = columns.UUID(primary_key=True)
    user_id = columns.Text()


class RecentView(Model):
    """What a user looked at, each product once; the writer trims it to a few."""

    __table_name__ = "recent_views"
    __options__ = {"gc_grace_seconds": 600}

    user_id = columns.Text(partition_key=True)
    product_id = columns.UUID(primary_key=True)
    viewed_at = columns.BigInt()


TABLES = (Cart, FilledCart, OpenCheckout, RecentView, IdempotencyKey)
