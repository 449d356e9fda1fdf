"""Orders on a real Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deploy.cassandra.trial import Trial
from tests.node import SECONDS_TO_OPEN, kept_bridge

SHARDS = 16


def bridge_to(trial: Trial) -> Any:
    from orders.cassandra.schema import ORDERS

    return kept_bridge(trial, ORDERS)


@asynccontextmanager
async def instance(bridge: Any, *, shards: int = SHARDS, **settings: Any) -> AsyncIterator[Any]:
    """One that has its share of the shards."""
    from orders.cassandra.store import CassandraOrders

    store = CassandraOrders(bridge, **settings)
    store.open()
    async with asyncio.timeout(SECONDS_TO_OPEN):
        while store.unready() or len(store.shards) < shards:
            await asyncio.sleep(0.01)
    yield store
    await store.close()
