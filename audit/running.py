"""The services of a running shop, reached by their addresses under service tokens."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from audit.shop import Shop
from store.http import Peer
from store.pool import pool


@asynccontextmanager
async def running_shop(addresses: Mapping[str, str]) -> AsyncIterator[Shop]:
    """``addresses`` by service. Commands speak for the service they call, as all of ours do."""
    pool.open()
    try:
        yield Shop.of(
            {
                name: Peer(name, caller=name, transport=pool.transport_to(address), url=address)
                for name, address in addresses.items()
            }
        )
    finally:
        await pool.close()
