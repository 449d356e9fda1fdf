"""The tables of accounts; requests speak CQL (statements.py).

Money is a decimal, moments are microseconds since 1970 (Cassandra's own keep thousandths).
"""

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model


class User(Model):
    """By the name without case. Until ``id`` is there it is a claim, which ends by itself.

    Only conditional writes touch it: the claim's ``mark`` says whose it is.
    """

    __table_name__ = "users"

    name_key = columns.Text(partition_key=True)
    mark = columns.UUID()
    id = columns.Integer()
    username = columns.Text()
    full_name = columns.Text()
    phone = columns.Text()
    is_admin = columns.Boolean()
    password_hash = columns.Text()
    created_at = columns.BigInt()


class UserById(Model):
    """Hints where to look: a row may be of a user who never came to be, none is missing."""

    __table_name__ = "users_by_id"

    bucket = columns.Integer(partition_key=True)
    id = columns.Integer(primary_key=True)
    name_key = columns.Text()


class IdBlock(Model):
    """From where on ids are free; instances take them in blocks."""

    __table_name__ = "id_blocks"

    name = columns.Text(partition_key=True)
    free_from = columns.Integer()


class News(Model):
    """What the orders of a person came to, by the exact name that orders carry.

    Three kinds of rows: the sum, which every conditional batch checks by its ``version``; a row
    for each order, with its newest step; and the last 100 steps in a ring, by ``arrived`` modulo
    100, so that a partition neither grows nor fills with deleted rows.
    """

    __table_name__ = "news"

    username = columns.Text(partition_key=True)
    kind = columns.Text(primary_key=True)
    key = columns.Text(primary_key=True)
    version = columns.BigInt()
    # Of the sum; of a step only ``arrived``.
    arrived = columns.BigInt()
    spent = columns.Decimal()
    is_registered = columns.Boolean()
    # Of an order.
    counted = columns.Decimal()
    mark = columns.UUID()
    # Of a step.
    order_id = columns.UUID()
    status = columns.Text()
    updated_at = columns.BigInt()
    total = columns.Decimal()


class OrderOwner(Model):
    """Whose news an order belongs to."""

    __table_name__ = "order_owners"

    order_id = columns.UUID(partition_key=True)
    username = columns.Text()


class WrongGuess(Model):
    """When a wrong password was tried; ``key`` is a digest of who tried, the newest come first.

    A row lives as long as the window in which guesses are counted.
    """

    __table_name__ = "wrong_guesses"
    __options__ = {"gc_grace_seconds": 600}

    key = columns.Text(partition_key=True)
    at = columns.BigInt(primary_key=True, clustering_order="DESC")
    mark = columns.UUID(primary_key=True)


TABLES = (User, UserById, IdBlock, News, OrderOwner, WrongGuess)
