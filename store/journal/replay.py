"""Reads a journal from its beginning to its end and tells a torn end from damage in the middle."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from store.journal.errors import CannotOpen
from store.journal.folder import Folder
from store.journal.format import (
    DELETED,
    HEADER_SIZE,
    VERSION,
    BadHeader,
    Header,
    Kind,
    frames_after,
    next_frame,
    records_in,
)

log = logging.getLogger(__name__)

BUFFER_BYTES = 1024 * 1024
Tables = dict[str, dict[str, bytes]]
"""Rows by table and key, each as JSON; in a table the row that was written last stands last."""


@dataclass(slots=True)
class Replayed:
    """``end``: where the log ``number`` goes on; ``number`` is 0 where there is none yet.

    ``first``: the number of the snapshot, and so of the first log that counts.
    """

    tables: Tables = field(default_factory=dict)
    records: int = 0
    first: int = 0
    number: int = 0
    end: int = 0
    snapshot_bytes: int = 0
    logged_bytes: int = 0


def replay(folder: Folder) -> Replayed:
    """Raises CannotOpen."""
    state = Replayed()
    with _garbage_left_alone():
        state.first = _load_snapshot(folder, state)
        logs = [number for number in folder.numbers(Kind.LOG) if number >= state.first]
        _check_sequence(folder, state.first, logs)
        for number in logs:
            _load_log(folder, number, state, is_last=number == logs[-1])
    return state


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """A million new rows are no garbage, however often the collector looks at them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check_sequence(folder: Folder, base: int, logs: list[int]) -> None:
    if not logs and not base:
        return
    first = base or 1
    expected = range(first, (logs[-1] if logs else first) + 1)
    for number in expected:
        if number not in logs:
            raise CannotOpen(f"{folder.place(Kind.LOG, number)} is missing.")


def _load_snapshot(folder: Folder, state: Replayed) -> int:
    """The number of the newest snapshot, 0 for none."""
    numbers = folder.numbers(Kind.SNAPSHOT)
    if not numbers:
        return 0
    with _opened(folder, Kind.SNAPSHOT, numbers[-1]) as file:
        size = _size(file)
        payload, position = b"", HEADER_SIZE
        while (found := next_frame(file, most=size - position)) is not None:
            payload, position = found[0], file.tell()
            _apply(payload, state, file, position)
        if position != size or payload != b"[]":
            raise CannotOpen(f"{file.name} is damaged at byte {position}.")
    state.snapshot_bytes = size
    return numbers[-1]


def _load_log(folder: Folder, number: int, state: Replayed, *, is_last: bool) -> None:
    with _opened(folder, Kind.LOG, number) as file:
        size, position = _size(file), HEADER_SIZE
        while (found := next_frame(file, most=size - position)) is not None:
            _apply(found[0], state, file, position)
            position = file.tell()
        _check_end(file, position, size, is_last=is_last)
    state.number, state.end = number, position
    state.logged_bytes += position - HEADER_SIZE


def _check_end(file: BinaryIO, position: int, size: int, *, is_last: bool) -> None:
    """What stands behind the last good frame: nothing, what a crash left, or damage."""
    if _is_empty(file, position):
        return
    if not is_last:
        raise CannotOpen(f"{file.name} is damaged at byte {position}.")
    for good, synced in frames_after(file, position, size):
        # Without power, what was written later may have reached the disk earlier; but never
        # something that speaks of this place as safe.
        if synced > position:
            raise CannotOpen(
                f"{file.name} is damaged at byte {position}: a good record follows at byte {good}."
            )
    log.warning("%s has a torn end: %d bytes are left out", file.name, _tail(file, position))


def _is_empty(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    return all(not chunk.strip(b"\0") for chunk in iter(lambda: file.read(BUFFER_BYTES), b""))


def _tail(file: BinaryIO, position: int) -> int:
    file.seek(position)
    return len(file.read().rstrip(b"\0"))


def _apply(payload: bytes, state: Replayed, file: BinaryIO, position: int) -> None:
    try:
        records = records_in(payload)
    except msgspec.MsgspecError as error:
        # Its checksum is right: something else than this program wrote it.
        raise CannotOpen(f"{file.name} has no records at byte {position}: {error}.") from None
    tables = state.tables
    for record in records:
        for table, key, value in record:
            rows = tables.get(table)
            if rows is None:
                rows = tables[table] = {}
            rows.pop(key, None)
            row = bytes(value)
            if row != DELETED:
                rows[key] = row
    state.records += len(records)


@contextmanager
def _opened(folder: Folder, kind: Kind, number: int) -> Iterator[BinaryIO]:
    place = folder.place(kind, number)
    try:
        with place.open("rb", buffering=BUFFER_BYTES) as file:
            _check_header(file, Header(folder.service, kind, number))
            yield file
    except OSError as error:
        raise CannotOpen(f"{place} can not be read: {error.strerror}.") from None


def _check_header(file: BinaryIO, expected: Header) -> None:
    try:
        header = Header.decoded(file.read(HEADER_SIZE))
    except BadHeader:
        raise CannotOpen(f"{file.name} does not begin like a journal.") from None
    if header.version != VERSION:
        raise CannotOpen(
            f"{file.name} is of format {header.version}; this program reads {VERSION}."
        )
    if header != expected:
        raise CannotOpen(f"{file.name} is {header.kind} {header.number} of {header.service}.")


def _size(file: BinaryIO) -> int:
    position = file.tell()
    size = file.seek(0, 2)
    file.seek(position)
    return size
