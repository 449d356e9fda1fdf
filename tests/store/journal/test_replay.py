"""What a start finds: all of it, a beginning of it, or a reason not to start."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.journal import CannotOpen, open_journal
from store.journal.folder import Folder
from store.journal.format import FRAME_SIZE, HEADER_SIZE, Header, Kind, frame
from store.journal.replay import replay
from tests.store.journal.conftest import log_of, open_rows, rows_in

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

Steps = list[tuple[str, int | None]]
steps = st.lists(
    st.tuples(st.sampled_from("abcde"), st.none() | st.integers(0, 9)), min_size=1, max_size=12
)


async def histories(data: Path, changes: Steps) -> list[dict[str, int]]:
    """Writes the changes, one by one, and gives the rows as they were before and after each."""
    async with open_rows(data) as rows:
        seen = [dict(rows.rows)]
        for key, value in changes:
            await rows.put(key, value)
            seen.append(dict(rows.rows))
    return seen


async def refusal(data: Path) -> str:
    with pytest.raises(CannotOpen) as problem:
        open_journal(data, "tiny")
    return str(problem.value)


@given(changes=steps, place=st.floats(0, 1))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
async def test_cut_anywhere_a_log_is_a_beginning_of_itself(
    tmp_path_factory: pytest.TempPathFactory, changes: Steps, place: float
):
    data = tmp_path_factory.mktemp("cut")
    seen = await histories(data, changes)
    content = log_of(data).read_bytes()
    cut = HEADER_SIZE + round(place * (len(content) - HEADER_SIZE))
    log_of(data).write_bytes(content[:cut])

    found = await rows_in(data)

    assert found in seen
    assert await rows_in(data) == found  # and the next start finds the same


@given(changes=steps, place=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
async def test_with_a_wrong_byte_anywhere_it_is_a_beginning_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: Steps, place: float, bits: int
):
    data = tmp_path_factory.mktemp("flipped")
    seen = await histories(data, changes)
    content = bytearray(log_of(data).read_bytes())
    content[int(place * len(content))] ^= bits
    log_of(data).write_bytes(bytes(content))

    try:
        found: object = await rows_in(data)
    except CannotOpen as problem:
        found = str(problem).split(" ")[0]

    # Whole where it hit the seal; wherever a record would be lost, the file is named.
    assert found in (seen[-1], str(log_of(data)))


async def test_a_torn_end_is_cut_off_and_said(data: Path, caplog: pytest.LogCaptureFixture):
    await histories(data, [("a", 1), ("b", 2)])
    whole = log_of(data).read_bytes()
    log_of(data).write_bytes(whole + frame(b'[[["rows","c",3]]]', synced=0)[:-1])

    found = await rows_in(data)

    assert found == {"a": 1, "b": 2}
    assert "torn end" in caplog.text
    assert await rows_in(data) == found


async def test_a_wrong_byte_in_the_middle_is_refused_with_file_and_place(data: Path):
    await histories(data, [("a", 1), ("b", 2), ("c", 3)])
    content = bytearray(log_of(data).read_bytes())
    content[HEADER_SIZE + 25] ^= 1
    log_of(data).write_bytes(bytes(content))

    second = content.rindex(b'[[["rows","b",2]]]') - FRAME_SIZE
    assert await refusal(data) == (
        f"{log_of(data)} is damaged at byte {HEADER_SIZE}: a good record follows at byte {second}."
    )


async def test_what_was_never_safe_may_be_lost_out_of_order_without_power(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
    start = log_of(data).read_bytes()
    lost = frame(b'[[["rows","b",2]]]', synced=len(start))
    later = frame(b'[[["rows","c",3]]]', synced=len(start))
    log_of(data).write_bytes(start + bytes(len(lost)) + later)

    assert await rows_in(data) == {"a": 1}


async def test_reserved_room_is_no_torn_end(data: Path, caplog: pytest.LogCaptureFixture):
    await histories(data, [("a", 1)])
    with log_of(data).open("ab") as file:
        file.write(bytes(10_000))

    assert await rows_in(data) == {"a": 1}
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (Header("carts", Kind.LOG, 1), "is log 1 of carts."),
        (Header("tiny", Kind.LOG, 2), "is log 2 of tiny."),
        (Header("tiny", Kind.LOG, 1, version=2), "is of format 2; this program reads 1."),
    ],
)
async def test_the_files_of_others_are_refused(data: Path, header: Header, words: str):
    await histories(data, [("a", 1)])
    content = log_of(data).read_bytes()
    log_of(data).write_bytes(header.encoded() + content[HEADER_SIZE:])

    assert await refusal(data) == f"{log_of(data)} {words}"


async def test_a_log_that_is_missing_is_refused(data: Path):
    async with open_rows(data) as rows:
        await rows.put("a", 1)
        await rows.journal.compact()
    log_of(data, 2).unlink()

    assert await refusal(data) == f"{log_of(data, 2)} is missing."


async def test_a_folder_in_use_is_refused(data: Path):
    async with open_rows(data):
        assert await refusal(data) == f"{data / 'tiny'} is in use by another process."


async def test_a_folder_that_is_missing_is_refused(data: Path):
    with pytest.raises(CannotOpen, match="is not a folder"):
        open_journal(data / "volume", "tiny")


async def test_a_folder_that_can_not_be_written_to_is_refused(data: Path):
    (data / "tiny").write_text("a file in the way")

    assert "can not be written to" in await refusal(data)


async def test_a_killed_process_holds_no_folder(data: Path):
    program = (
        "import asyncio, pathlib, sys, os\n"
        "from tests.store.journal.conftest import open_rows\n"
        "async def main():\n"
        "    async with open_rows(pathlib.Path(sys.argv[1])) as rows:\n"
        "        await rows.put('a', 1)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, data], check=False)

    assert killed.returncode == -9
    assert await rows_in(data) == {"a": 1}


async def test_a_record_of_somebody_else_is_refused(data: Path):
    await histories(data, [("a", 1)])
    with log_of(data).open("ab") as file:
        file.write(frame(b'[{"key": "b"}]', synced=0))

    assert "has no records at byte" in await refusal(data)


async def test_an_empty_folder_is_an_empty_store(data: Path):
    folder = Folder(data, "tiny")

    assert replay(folder).tables == {}
    folder.close()
