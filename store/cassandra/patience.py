"""What no buyer waits for: where Cassandra fails for a while, it is asked again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from store.cassandra.bridge import StoreAway, is_of_the_driver

T = TypeVar("T")

# Half a minute in all: a node that was killed is back, or missed by the others, in less.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What ``work`` gives, which may be begun several times.

    Raises what the last one raised: StoreAway or the driver's.
    """
    for pause in PAUSES_SECONDS:
        try:
            return await work()
        except Exception as error:
            if not isinstance(error, StoreAway) and not is_of_the_driver(error):
                raise
        await asyncio.sleep(pause)
    return await work()
