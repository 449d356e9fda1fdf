"""A journal of a tiny store in a folder of its own, and what a crash leaves of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from store.journal import Change, Journal, open_journal

ROWS = "rows"
Opening = Callable[..., AbstractAsyncContextManager["Rows"]]


class Rows:
    """A store of rows by key, which writes every change to its journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.rows = {key: int(row) for key, row in journal.take(ROWS).items()}
        journal.keep(self.all_rows)
        journal.open()

    async def put(self, key: str, value: int | None, *, synced: bool = True) -> None:
        self.journal.admit()
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value
        await self.journal.write([(ROWS, key, value)], synced=synced)

    def all_rows(self) -> Iterator[Change]:
        for key in list(self.rows):
            if key in self.rows:
                yield ROWS, key, self.rows[key]


@asynccontextmanager
async def open_rows(data: Path, **options: Any) -> AsyncIterator[Rows]:
    rows = Rows(open_journal(data, "tiny", **{"reserve": 64 * 1024} | options))
    try:
        yield rows
    finally:
        await rows.journal.close()


async def rows_in(data: Path) -> dict[str, int]:
    """What a process that starts now finds."""
    async with open_rows(data) as rows:
        return dict(rows.rows)


def log_of(data: Path, number: int = 1) -> Path:
    return data / "tiny" / f"log-{number:08d}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path
