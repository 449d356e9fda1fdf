"""The log at its growing end. All of this may wait for the disk: it runs in the journal's thread.

Room is reserved ahead of what is written. So a full disk is known before a change is made and
refused, never in the middle of one; and a reserved block is faster to make safe than a new one.
"""

import logging
import os
from typing import Self

from store.journal.folder import Folder, write_all
from store.journal.format import HEADER_SIZE, Kind, frame

log = logging.getLogger(__name__)

RESERVED_BYTES = 8 * 1024 * 1024
_ZEROS = bytes(64 * 1024)
# Without the times of the file, where the system can tell the two apart.
_sync = getattr(os, "fdatasync", os.fsync)


class Segment:
    """``end``: where the next frame goes; ``synced``: what is safe on the disk."""

    def __init__(self, file: int, *, end: int, reserve: int = RESERVED_BYTES) -> None:
        self._file = file
        self._reserve = reserve
        self.end = end
        self.synced = 0
        self.is_dirty = False
        self.reserved = end
        self.problem: OSError | None = None
        self._is_open = True

    @classmethod
    def create(cls, folder: Folder, number: int, *, reserve: int = RESERVED_BYTES) -> Self:
        """Raises OSError."""
        file = folder.create(Kind.LOG, number)
        try:
            folder.publish(Kind.LOG, number, file)
        except OSError:
            os.close(file)
            raise
        segment = cls(file, end=HEADER_SIZE, reserve=reserve)
        segment.make_room()
        return segment

    @classmethod
    def reopen(
        cls, folder: Folder, number: int, *, end: int, reserve: int = RESERVED_BYTES
    ) -> Self:
        """Goes on at ``end``; what stands behind it is of no use. Raises OSError."""
        file = os.open(folder.place(Kind.LOG, number), os.O_RDWR | os.O_CLOEXEC)
        os.ftruncate(file, end)
        segment = cls(file, end=end, reserve=reserve)
        segment.sync()
        segment.make_room()
        return segment

    def append(self, payload: bytes, *, synced: bool) -> None:
        """Hands a frame to the system and, ``synced``, to the disk. Raises OSError: all is over."""
        content = frame(payload, synced=self.synced)
        write_all(self._file, content, self.end)
        self.end += len(content)
        self.is_dirty = True
        if synced:
            self.sync()
        self.make_room()

    def sync(self) -> None:
        _sync(self._file)
        self.synced, self.is_dirty = self.end, False

    def seal(self) -> None:
        """Makes everything safe and says so in the file: from now on it may not be torn there."""
        self.sync()
        content = frame(b"[]", synced=self.synced)
        write_all(self._file, content, self.end)
        self.end += len(content)

    def make_room(self) -> None:
        """Sees to it that at least half of what is to be reserved is; ``problem`` says if not."""
        if self.reserved - self.end >= self._reserve // 2:
            return
        wanted = self.end + self._reserve
        try:
            _allocate(self._file, self.end, wanted)
        except OSError as error:
            if self.problem is None:  # said once, not at every attempt
                log.warning("The journal gets no more room on the disk: %s", error.strerror)
            self.problem = error
        else:
            self.reserved, self.problem = wanted, None

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.ftruncate(self._file, self.end)
            os.close(self._file)


def _allocate(file: int, start: int, stop: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, start, stop - start)
        return
    for position in range(start, stop, len(_ZEROS)):
        write_all(file, _ZEROS[: stop - position], position)
