"""The state of a stopped service on Cassandra: read as a whole, written row by row.

A service says in its ``moving`` module what its tables hold (a scan of each), how that makes the
rows of a journal, and which statements make the tables of such rows. Those may be repeated: what
was begun and broken off goes on with the same file.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model
from tqdm import tqdm

from store.cassandra.bridge import Bridge, Row, StoreAway, is_of_the_driver
from store.cassandra.faults import reason_of
from store.cassandra.patience import patiently
from store.cassandra.schema import Schema, Statements
from store.journal.replay import Tables
from store.moving.errors import CannotMove

RANGES = 64
AT_ONCE = 64
# What is decided afterwards counts, whichever clocks are behind.
SKEW = timedelta(seconds=10)
LOWEST, HIGHEST = -(2**63), 2**63 - 1

Write = Callable[[Bridge], Awaitable[object]]
"""May be done several times."""
Rows = Mapping[str, Sequence[Row]]
"""All rows of each scan."""


class StateImport(Model):
    """Which file a service's state came from, and whether all of it is there."""

    __table_name__ = "state_imports"

    service = columns.Text(partition_key=True)
    sha256 = columns.Text()
    is_done = columns.Boolean()


_PROGRESS = Statements(
    plain={
        "state_import": "SELECT sha256, is_done FROM state_imports WHERE service = ?",
        "mark_import": "INSERT INTO state_imports (service, sha256, is_done) VALUES (?, ?, ?)",
    }
)


@dataclass(frozen=True)
class Mover:
    """``scans``: the statements of ``schema`` that read a table by ranges of tokens; ``tables`` and
    ``writes`` are each other's inverse, at a moment that is given.
    """

    schema: Schema
    scans: Sequence[str]
    tables: Callable[[Rows, datetime], Tables]
    writes: Callable[[Tables, datetime], Iterable[Write]]

    @property
    def service(self) -> str:
        return self.schema.service


def told(name: str, *values: object) -> Write:
    """One statement."""
    return lambda bridge: bridge.ask(name, *values)


async def read(mover: Mover, database: Mapping[str, Any], *, now: datetime) -> Tables:
    """Raises CannotMove."""
    async with _bridge(mover, database) as bridge:
        rows = {name: await _scan(bridge, name) for name in mover.scans}
    return mover.tables(rows, now)


async def check_empty(mover: Mover, database: Mapping[str, Any], *, sha256: str) -> None:
    """Unless an import of this very file was broken off. Raises CannotMove."""
    async with _bridge(mover, database) as bridge:
        if await _is_begun(bridge, mover.service, sha256):
            return
        for name in mover.scans:
            if await asyncio.to_thread(_any, bridge, name):
                raise CannotMove(
                    f"keyspace {database['NAME']} holds the state of a {mover.service} already;"
                    " name another in CASSANDRA_KEYSPACE."
                )


async def put(
    mover: Mover, database: Mapping[str, Any], tables: Tables, *, sha256: str, now: datetime
) -> None:
    """Raises CannotMove; then the same file may be imported again."""
    writes = list(mover.writes(tables, now - SKEW))
    async with _bridge(mover, database) as bridge:
        await bridge.ask("mark_import", mover.service, sha256, False)  # noqa: FBT003  # a value
        at_once = asyncio.Semaphore(AT_ONCE)
        with tqdm(desc=f"{mover.service} into Cassandra", total=len(writes), unit=" rows") as bar:

            async def one(write: Write) -> None:
                async with at_once:
                    await patiently(lambda: write(bridge))
                    bar.update()

            left = iter(writes)
            while some := list(islice(left, 10 * AT_ONCE)):
                await asyncio.gather(*map(one, some))
        await bridge.ask("mark_import", mover.service, sha256, True)  # noqa: FBT003


@asynccontextmanager
async def _bridge(mover: Mover, database: Mapping[str, Any]) -> AsyncIterator[Bridge]:
    own = mover.schema
    tables, statements = (*own.tables, StateImport), own.statements | _PROGRESS
    bridge = Bridge(database, Schema(own.service, tables, statements, own.trial))
    try:
        await bridge.open()
        yield bridge
    except Exception as error:
        if isinstance(error, StoreAway):
            raise CannotMove(f"Cassandra has failed: {bridge.outage.reason}.") from None
        if is_of_the_driver(error):
            raise CannotMove(f"Cassandra cannot be used: {reason_of(error)}.") from None
        raise
    finally:
        await bridge.close()


async def _is_begun(bridge: Bridge, service: str, sha256: str) -> bool:
    rows = await bridge.ask("state_import", service)
    return bool(rows) and tuple(rows[0]) == (sha256, False)


async def _scan(bridge: Bridge, name: str) -> list[Row]:
    step = (HIGHEST - LOWEST) // RANGES
    edges = [LOWEST + number * step for number in range(RANGES)] + [HIGHEST]
    found: list[Row] = []
    for after, to in tqdm(list(pairwise(edges)), name, unit=" ranges"):
        found += await asyncio.to_thread(lambda edge: list(bridge.scan(name, *edge)), (after, to))
    return found


def _any(bridge: Bridge, name: str) -> bool:
    return any(True for _ in bridge.scan(name, LOWEST, HIGHEST))
