"""Snapshots in the place of logs: the same rows, less to read, and no moment without either."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

import pytest

from store.journal import CannotOpen, open_journal
from store.journal.format import HEADER_SIZE
from tests.store.journal.conftest import log_of, open_rows, rows_in


def names(data: Path) -> list[str]:
    return sorted(file.name for file in (data / "tiny").iterdir() if file.name != "lock")


async def test_a_snapshot_takes_the_place_of_the_logs(data: Path):
    async with open_rows(data) as rows:
        for number in range(50):
            await rows.put("a", number)
        await rows.put("b", 2)
        await rows.journal.compact()
        await rows.put("c", 3)

    assert names(data) == ["log-00000002", "snapshot-00000002"]
    assert await rows_in(data) == {"a": 49, "b": 2, "c": 3}


async def test_what_changes_meanwhile_is_not_lost_and_what_is_deleted_stays_so(data: Path):
    async with open_rows(data, reserve=1_000_000) as rows:
        await asyncio.gather(*(rows.put(f"{number}", number) for number in range(3000)))
        compacting = asyncio.create_task(rows.journal.compact())
        changes = 0
        while not compacting.done():
            await rows.put(f"{changes % 3000}", None if changes % 2 else -changes, synced=False)
            changes += 1
        await compacting
        expected = dict(rows.rows)

    assert changes > 10
    assert await rows_in(data) == expected


async def test_a_crash_at_any_moment_of_it_loses_nothing(data: Path, tmp_path: Path):
    """Between any two of its steps the files are copied, as a crash would leave them."""
    copies: list[Path] = []
    async with open_rows(data) as rows:
        await asyncio.gather(*(rows.put(f"{number}", number) for number in range(2000)))
        compacting = asyncio.create_task(rows.journal.compact())
        while not compacting.done():
            copies.append(tmp_path / "copies" / f"{len(copies)}")
            copy = partial(shutil.copytree, data / "tiny", copies[-1] / "tiny")
            await rows.journal._in_thread(copy)
        expected = dict(rows.rows)

    found = [await rows_in(copy) for copy in copies]
    assert len(copies) > 5
    assert all(each == expected for each in found)


async def test_a_leftover_of_a_snapshot_is_taken_away(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
    (data / "tiny" / "snapshot-00000002.tmp").write_bytes(b"half of")

    assert await rows_in(data) == {"a": 1}
    assert names(data) == ["log-00000001"]


async def test_logs_that_a_snapshot_made_superfluous_are_taken_away_at_the_next_start(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        old = log_of(data).read_bytes()
        await rows.journal.compact()
        await rows.put("a", None)
    log_of(data).write_bytes(old)

    assert await rows_in(data) == {}
    assert names(data) == ["log-00000002", "snapshot-00000002"]


@pytest.mark.parametrize("place", [HEADER_SIZE + 30, -30, -1])
async def test_a_damaged_snapshot_is_refused(data: Path, place: int):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        await rows.journal.compact()
    snapshot = data / "tiny" / "snapshot-00000002"
    content = bytearray(snapshot.read_bytes())
    content[place] ^= 1
    snapshot.write_bytes(bytes(content))

    with pytest.raises(CannotOpen, match=f"{snapshot} is damaged at byte"):
        open_journal(data, "tiny")


async def test_a_snapshot_that_is_cut_short_is_refused(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        await rows.journal.compact()
    snapshot = data / "tiny" / "snapshot-00000002"
    snapshot.write_bytes(snapshot.read_bytes()[:-22])

    with pytest.raises(CannotOpen, match="is damaged at byte"):
        open_journal(data, "tiny")


async def test_it_begins_by_itself_and_the_folder_stays_small(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("store.journal.writer.HOUSEKEEPING_SECONDS", 0.01)
    async with open_rows(data, compact_at=20_000) as rows:
        for number in range(3000):
            await rows.put("a", number)
        size = sum(file.stat().st_size for file in (data / "tiny").iterdir())

    assert size < 200_000
    assert names(data) != ["log-00000001"]
    assert await rows_in(data) == {"a": 2999}


async def test_a_snapshot_that_can_not_be_written_leaves_everything_as_it_was(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        (data / "tiny" / "snapshot-00000002.tmp").mkdir()
        with pytest.raises(OSError, match="Is a directory"):
            await rows.journal.compact()
        await rows.put("b", 2)
        (data / "tiny" / "snapshot-00000002.tmp").rmdir()

    assert await rows_in(data) == {"a": 1, "b": 2}
