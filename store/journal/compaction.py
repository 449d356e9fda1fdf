"""A snapshot of all rows, written while the store goes on changing them.

The log is changed first: a row that changes while the snapshot is written stands in the new log
too, and is replayed on top of the snapshot, whether that has its old or its new value.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Self

from store.journal.folder import Folder, write_all
from store.journal.format import HEADER_SIZE, Change, Kind, encode_record, frame

SMALLEST_BYTES = 16 * 1024 * 1024
# The logs may be so many times as large as the snapshot below them.
RATIO = 2.0
ROWS_AT_A_TIME = 200

Source = Callable[[], Iterator[Change]]
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class Debt:
    """How much would have to be read again at a start, and whether that is too much."""

    def __init__(self, snapshot_bytes: int, logged_bytes: int, *, least: int) -> None:
        self._least = least
        self._logged = logged_bytes
        self._limit = self._allowed(snapshot_bytes)

    @property
    def is_due(self) -> bool:
        return self._logged > self._limit

    def add(self, size: int) -> None:
        self._logged += size

    def begin(self) -> None:
        """What is logged from here on is not in the snapshot that is being written."""
        self._logged = 0

    def paid(self, snapshot_bytes: int) -> None:
        self._limit = self._allowed(snapshot_bytes)

    def _allowed(self, snapshot_bytes: int) -> float:
        return max(self._least, RATIO * snapshot_bytes)


class Snapshot:
    """A file that counts once it is published. For the journal's thread."""

    def __init__(self, folder: Folder, number: int, file: int) -> None:
        self._folder = folder
        self._number = number
        self._file = file
        self.size = HEADER_SIZE

    @classmethod
    def begin(cls, folder: Folder, number: int) -> Self:
        return cls(folder, number, folder.create(Kind.SNAPSHOT, number))

    def append(self, payload: bytes) -> None:
        """Synced bit by bit: one long wait at the end would hold up the log's groups."""
        content = frame(payload, synced=0)
        write_all(self._file, content, self.size)
        os.fsync(self._file)
        self.size += len(content)

    def publish(self) -> None:
        """From here on it stands for all logs before its own, which are taken away."""
        self.append(b"[]")
        self._folder.publish(Kind.SNAPSHOT, self._number, self._file)
        self._folder.discard_before(self._number)

    def close(self) -> None:
        os.close(self._file)


async def write_rows(snapshot: Snapshot, rows: Iterable[Change], *, in_thread: InThread) -> None:
    """In slices, between which the loop does other things. Raises OSError."""
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_A_TIME)):
        await in_thread(partial(snapshot.append, b"[%b]" % encode_record(some)))
