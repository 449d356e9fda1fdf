"""How orders are spread over shards and buckets, and shards over instances; plain rules."""

from collections.abc import Iterable
from uuid import UUID

SHARDS = 16
ALL = tuple(range(SHARDS))
# Of the lists, by when an order was made, and of the news, by when it was announced.
LIST_SECONDS = 600
NEWS_SECONDS = 60
SECOND = 1_000_000


def shard_of(order_id: UUID) -> int:
    """Ids come from others, too: all of their bits count."""
    return order_id.int % (2**61 - 1) % SHARDS


def bucket_of(count: int, seconds: int) -> int:
    """The bucket of a moment in microseconds, where each is so many seconds long."""
    return count // SECOND // seconds


def share_of(instance: UUID, instances: Iterable[UUID]) -> int:
    """How many shards it should have: as many as all others, or one more."""
    everyone = sorted({instance, *instances})
    each, left = divmod(SHARDS, len(everyone))
    return each + (everyone.index(instance) < left)
