"""A running journal: what is acknowledged is in the file, in order, whatever happens next."""

import asyncio
import os
import resource
from pathlib import Path

import pytest

from store.journal import JournalUnavailable, Sync
from tests.store.journal.conftest import Rows, log_of, open_rows, rows_in


def copied(data: Path, elsewhere: Path) -> Path:
    """The files as a process that was killed just now leaves them."""
    (elsewhere / "tiny").mkdir(parents=True)
    for file in (data / "tiny").iterdir():
        (elsewhere / "tiny" / file.name).write_bytes(file.read_bytes())
    return elsewhere


async def test_what_was_written_is_there_after_a_restart(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        await rows.put("b", 2)
        await rows.put("a", None)

    assert await rows_in(data) == {"b": 2}


@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("sync", list(Sync))
async def test_what_was_acknowledged_outlives_a_kill(
    data: Path, tmp_path: Path, synced: bool, sync: Sync
):
    async with open_rows(data, sync=sync) as rows:
        for number in range(20):
            await rows.put(f"{number}", number, synced=synced)
        left = copied(data, tmp_path / "left")

    assert await rows_in(left) == {f"{number}": number for number in range(20)}


async def test_rows_stand_in_the_order_of_their_last_change(data: Path):
    async with open_rows(data) as rows:
        for key in "abca":
            await rows.put(key, 1)

    assert list(await rows_in(data)) == ["b", "c", "a"]


async def test_many_who_wait_share_a_write(data: Path):
    async with open_rows(data) as rows:
        await asyncio.gather(*(rows.put(f"{number}", number) for number in range(500)))
        frames = log_of(data).read_bytes().count(b"\xf1JRN")

    assert frames < 10
    assert len(await rows_in(data)) == 500


async def test_one_who_hangs_up_takes_nobody_with_him(data: Path):
    async with open_rows(data) as rows:
        impatient = asyncio.create_task(rows.put("a", 1))
        patient = asyncio.create_task(rows.put("b", 2))
        await asyncio.sleep(0)
        impatient.cancel()
        await patient

    assert await rows_in(data) == {"a": 1, "b": 2}


async def test_settled_waits_for_what_was_promised_and_for_nothing_else(data: Path):
    async with open_rows(data) as rows:
        writing = asyncio.create_task(rows.put("a", 1))
        await asyncio.sleep(0)
        await rows.journal.settled()
        promised = log_of(data).read_bytes()
        await writing

    assert b'["rows","a",1]' in promised


async def test_always_syncs_what_asks_for_nothing(data: Path):
    async with open_rows(data, sync=Sync.ALWAYS) as rows:
        await rows.put("a", 1, synced=False)

        assert not rows.journal._segment.is_dirty


async def test_the_interval_makes_safe_what_was_only_handed_to_the_system(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("store.journal.writer.HOUSEKEEPING_SECONDS", 0.01)
    async with open_rows(data) as rows:
        await rows.put("a", 1, synced=False)
        assert rows.journal._segment.is_dirty
        async with asyncio.timeout(5):
            while rows.journal._segment.is_dirty:
                await asyncio.sleep(0.01)


async def test_an_unexpected_burst_is_refused_before_anything_is_changed(data: Path):
    async with open_rows(data, reserve=32 * 1024) as rows:
        burst = (rows.put(f"{number:01000d}", number) for number in range(100))
        answers = await asyncio.gather(*burst, return_exceptions=True)
        kept = dict(rows.rows)

    refused = [answer for answer in answers if answer is not None]
    assert refused
    assert all(isinstance(answer, JournalUnavailable) for answer in refused)
    assert len(kept) == 100 - len(refused)
    assert await rows_in(data) == kept


async def fill(rows: Rows) -> None:
    for number in range(10_000):
        await rows.put(f"{number:01000d}", number)


async def test_a_full_disk_refuses_changes_keeps_what_there_is_and_heals(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("store.journal.writer.HOUSEKEEPING_SECONDS", 0.01)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with open_rows(data) as rows:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100 * 1024, hard))
        try:
            with pytest.raises(JournalUnavailable, match="no room"):
                await fill(rows)
            kept = dict(rows.rows)
            why = rows.journal.unready()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        async with asyncio.timeout(5):
            while rows.journal.unready():
                await asyncio.sleep(0.01)
        await rows.put("later", 1)

    assert why is not None
    assert len(kept) > 20
    assert await rows_in(data) == kept | {"later": 1}


async def test_a_failed_disk_ends_the_service_and_acknowledges_nothing(data: Path):
    given_up: list[bool] = []
    async with open_rows(data, give_up=lambda: given_up.append(True)) as rows:
        await rows.put("a", 1)
        broken = os.open(log_of(data), os.O_RDONLY)
        os.dup2(broken, rows.journal._segment._file)
        os.close(broken)
        answers = await asyncio.gather(rows.put("b", 2), rows.put("c", 3), return_exceptions=True)
        with pytest.raises(JournalUnavailable):
            await rows.put("d", 4)
        rows.journal._segment._is_open = False  # there is nothing left to be closed

    assert [type(answer) for answer in answers] == [JournalUnavailable] * 2
    assert given_up == [True]
    assert await rows_in(data) == {"a": 1}
