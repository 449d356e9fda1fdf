"""What the management commands on Cassandra share."""

import asyncio
from collections.abc import Awaitable, Callable

from django.conf import settings
from django.core.management.base import CommandError

from store.cassandra.bridge import Bridge, StoreAway, is_of_the_driver
from store.cassandra.faults import reason_of
from store.cassandra.schema import Schema

AGAIN = "Run it again."


def on_cassandra(schema: Schema, work: Callable[[Bridge], Awaitable[int]]) -> int:
    """What ``work`` gives, with an open bridge. Raises CommandError."""
    return asyncio.run(_with_bridge(schema, work))


async def _with_bridge(schema: Schema, work: Callable[[Bridge], Awaitable[int]]) -> int:
    bridge = Bridge(settings.DATABASES[schema.service], schema)
    try:
        await bridge.open()
    except Exception as error:
        raise CommandError(f"Cassandra cannot be used: {reason_of(error)}.") from None
    try:
        return await work(bridge)
    except Exception as error:
        if isinstance(error, StoreAway):
            reason = bridge.outage.reason or "it is away"
            raise CommandError(f"Cassandra has failed: {reason}. {AGAIN}") from None
        if is_of_the_driver(error):
            raise CommandError(f"Cassandra has failed: {reason_of(error)}. {AGAIN}") from None
        raise
    finally:
        await bridge.close()
