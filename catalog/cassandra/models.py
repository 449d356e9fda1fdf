"""The tables of the keyspace, for sync_cassandra; requests speak CQL (statements.py).

Money is a decimal, moments are microseconds since 1970 (Cassandra's own keep thousandths).
"""

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model


class Product(Model):
    """The description's table, to the letter; ``quantity`` is what is available."""

    __table_name__ = "products"

    id = columns.UUID(primary_key=True)
    name = columns.Text()
    category = columns.Text()
    price = columns.Decimal()
    quantity = columns.Integer()
    description = columns.Text()
    manufacturer = columns.Text()


class Stock(Model):
    """The books of a product (the static columns), and a row for each order that took of it.

    Only conditional batches write here: all check ``version`` and raise it.
    """

    __table_name__ = "stock"

    product_id = columns.UUID(partition_key=True)
    order_id = columns.UUID(primary_key=True)
    version = columns.BigInt(static=True)
    initial = columns.BigInt(static=True)
    available = columns.BigInt(static=True)
    adjustments = columns.BigInt(static=True)
    reserved = columns.BigInt(static=True)
    sold = columns.BigInt(static=True)
    withdrawn = columns.BigInt(static=True)
    is_open = columns.Boolean(static=True)
    quantity = columns.Integer()
    state = columns.Text()
    place = columns.Integer()
    name = columns.Text()
    price = columns.Decimal()
    created_at = columns.BigInt()
    updated_at = columns.BigInt()


class Reservation(Model):
    """What an order asked for: a row for each different request, so that none overwrites another.

    ``closed_as`` marks an id that may never be held.
    """

    __table_name__ = "reservations"

    order_id = columns.UUID(partition_key=True)
    asked = columns.Text(primary_key=True)
    closed_as = columns.Text(static=True)
    closed_at = columns.BigInt(static=True)
    noted = columns.Boolean()


class ReservationByState(Model):
    """Hints where to look: a row may be out of date, none is missing."""

    __table_name__ = "reservations_by_state"
    # A row that comes back from the dead is checked like every other, and dropped.
    __options__ = {"gc_grace_seconds": 600}

    state = columns.Text(partition_key=True)
    shard = columns.Integer(partition_key=True)
    updated_at = columns.BigInt(primary_key=True)
    order_key = columns.Blob(primary_key=True)
    lines = columns.Integer()


class Change(Model):
    """Which products changed, for the lists of the other instances."""

    __table_name__ = "changes"
    __options__ = {"default_time_to_live": 3600, "gc_grace_seconds": 600}

    minute = columns.Integer(partition_key=True)
    at = columns.TimeUUID(primary_key=True)
    change = columns.UUID()
    writer = columns.UUID()
    products = columns.List(columns.UUID)
    is_done = columns.Boolean()


class Progress(Model):
    """How far a long command came."""

    __table_name__ = "progress"

    command = columns.Text(partition_key=True)
    place = columns.BigInt()


TABLES = (Product, Stock, Reservation, ReservationByState, Change, Progress)
