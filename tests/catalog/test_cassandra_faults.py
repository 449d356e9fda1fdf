"""Cassandra comes late, dies, and comes back; the catalogue goes on without a restart."""

import asyncio
import signal
import time
from typing import Any

import pytest

from catalog.domain import Filter, Sort
from deploy.cassandra.trial import Trial
from store.errors import Unavailable
from tests.catalog.examples import product
from tests.node import database

pytestmark = pytest.mark.cassandra


async def until(condition: Any, *, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.1)


async def is_up(store: Any, *, expected: bool) -> bool:
    return (await store.ping() and store.unready() is None) is expected


async def test_without_cassandra_every_call_says_so(cassandra: Trial) -> None:
    from catalog.cassandra.schema import CATALOG
    from catalog.cassandra.store import CassandraCatalog
    from store.cassandra.bridge import Bridge

    store = CassandraCatalog(Bridge(database(cassandra), CATALOG), keep_seconds=60)

    with pytest.raises(Unavailable) as away:
        await store.product(product().product_id)
    with pytest.raises(Unavailable):
        await store.page(Filter(), Sort(), limit=1)

    assert away.value.retry_after == 1
    assert (await store.ping(), store.counts()) == (False, {})
    assert store.unready() == "The catalogue's database is away."


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
async def test_cassandra_goes_and_comes_back(
    on_cassandra: Any, cassandra: Trial, sent: signal.Signals
) -> None:
    milk = product()
    await on_cassandra.add(milk)
    try:
        cassandra.signal(sent)
        await until(lambda: is_up(on_cassandra, expected=False), seconds=5)
        for _ in range(5):
            asked_at = time.monotonic()
            with pytest.raises(Unavailable):
                await on_cassandra.update(milk.product_id, {"stock_count": 1})
            assert time.monotonic() - asked_at < 1.2
    finally:
        if sent == signal.SIGSTOP:
            cassandra.signal(signal.SIGCONT)
        else:
            # Here and not in a thread: the node would end with it.
            cassandra.start()

    await until(lambda: is_up(on_cassandra, expected=True), seconds=10)
    assert await on_cassandra.product(milk.product_id) == milk
    assert (await on_cassandra.page(Filter(), Sort(), limit=1)).total == 1
