"""A real Cassandra for the tests, and stores on it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from deploy.cassandra.trial import Trial

SECONDS_TO_OPEN = 20


def database(trial: Trial, *, keyspace: str = "store") -> Mapping[str, Any]:
    """What Django's DATABASES would say of it."""
    return database_of(trial.settings | {"CASSANDRA_KEYSPACE": keyspace})


def database_of(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """What they would say with this in the environment."""
    from store.settings import cassandra

    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return cassandra.database(environment["CASSANDRA_HOST"].split(","))


def kept_bridge(trial: Trial, schema: Any) -> Any:
    """One session for all tests of a run: dialling takes longer than most of them."""
    from store.cassandra.bridge import OPEN, Bridge

    class Kept(Bridge):
        async def close(self) -> None:
            """It stays open for the next test."""
            OPEN.discard(self)

    return Kept(database(trial), schema)


async def opened(store: Any) -> Any:
    """Opens it and waits until it is ready."""
    store.open()
    async with asyncio.timeout(SECONDS_TO_OPEN):
        while store.unready():
            await asyncio.sleep(0.01)
    return store


async def emptied(bridge: Any) -> None:
    """Takes everything out of the tables of its schema."""
    if not bridge.is_open:
        await bridge.open()
    keyspace = bridge._database["NAME"]
    for table in bridge._schema.tables:
        text = f"TRUNCATE {keyspace}.{table.__table_name__}"
        await asyncio.to_thread(bridge._session.execute, text)
