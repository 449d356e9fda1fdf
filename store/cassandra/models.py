"""Tables that several services use, each as one of its own."""

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model


class IdempotencyKey(Model):
    """The answer to a key, or without a status that somebody is at it; conditional writes alone.

    All of a row ends by itself: an answer after its day, a claim after its lease.
    """

    __table_name__ = "idempotency_keys"
    __options__ = {"gc_grace_seconds": 3600}

    scope = columns.Text(partition_key=True)
    holder = columns.UUID()
    fingerprint = columns.Blob()
    status = columns.Integer()
    body = columns.Blob()
    headers = columns.Text()
