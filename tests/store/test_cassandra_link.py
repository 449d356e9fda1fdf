"""A service's connection to Cassandra heals by itself; the tables are made by a command, too."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.cassandra.trial import Trial
from deploy.local.layout import PROJECT
from store.tasks import Tasks
from tests.node import database

pytestmark = pytest.mark.cassandra

KEYSPACE = "link"


@pytest.fixture(scope="module")
def schema() -> Any:
    """One small table."""
    from cassandra.cqlengine import columns
    from cassandra.cqlengine.models import Model

    from store.cassandra.schema import Schema, Statements

    class Thing(Model):  # type: ignore[misc]  # the driver has no types
        __table_name__ = "things"
        id = columns.Text(primary_key=True)

    statements = Statements(
        plain={
            "ping": "SELECT id FROM things WHERE id = 'ping'",
            "drop": "DELETE FROM things WHERE id = ?",
        }
    )
    return Schema("things", [Thing], statements, trial=("drop", ["nothing"]))


@pytest.fixture
async def linked(cassandra: Trial, schema: Any) -> AsyncIterator[Any]:
    from store.cassandra.bridge import Bridge
    from store.cassandra.link import Link

    bridge = Bridge(database(cassandra, keyspace=KEYSPACE), schema)
    link, tasks = Link(bridge), Tasks()
    tasks.supervise(link.keep, name="link")
    yield SimpleNamespace(bridge=bridge, link=link)
    await tasks.close(seconds=0)
    await bridge.close()


async def until(link: Any, *, is_ready: bool) -> None:
    async with asyncio.timeout(20):
        while (link.unready() is None) != is_ready:
            await asyncio.sleep(0.05)


async def test_a_link_opens_by_itself_and_makes_the_tables(linked: Any) -> None:
    assert linked.link.unready() == "The database is away."

    await until(linked.link, is_ready=True)

    assert not await linked.bridge.ask("ping")
    assert linked.bridge.connections() >= 1


@pytest.mark.parametrize("seconds_until_lost", [1, 60])
async def test_a_link_heals_when_cassandra_was_away(
    linked: Any, cassandra: Trial, monkeypatch: pytest.MonkeyPatch, seconds_until_lost: int
) -> None:
    from store.cassandra import link

    monkeypatch.setattr(link, "LOST_SECONDS", seconds_until_lost)
    await until(linked.link, is_ready=True)
    cassandra.signal(signal.SIGSTOP)
    try:
        await until(linked.link, is_ready=False)
        reason = linked.link.unready()
    finally:
        cassandra.signal(signal.SIGCONT)
    await until(linked.link, is_ready=True)

    assert reason is not None
    assert reason.startswith("The database")
    assert not await linked.bridge.ask("ping")


def test_a_command_makes_the_tables_of_every_service_that_is_there(cassandra: Trial) -> None:
    own = {"CASSANDRA_KEYSPACE": "by_command", "STORE": "cassandra"}
    command = [sys.executable, "manage.py", "sync_cassandra"]

    done = [
        subprocess.run(
            command,
            cwd=PROJECT,
            check=True,
            env=dict(os.environ) | cassandra.settings | own,
            capture_output=True,
            text=True,
        ).stdout
        for _ in range(2)
    ]

    assert done[0] == done[1]
    assert "catalog has its tables: products, stock," in done[0]
