"""The folder of one service's journal: its names, its lock, and files that appear whole."""

import errno
import fcntl
import os
import re
from pathlib import Path

from store.journal.errors import CannotOpen
from store.journal.format import Header, Kind

_NAME = re.compile(r"(log|snapshot)-(\d{8})")
UNFINISHED = ".tmp"


class Folder:
    """``service``'s own folder in ``data``, held by this process alone until it is closed."""

    def __init__(self, data: Path, service: str) -> None:
        """Raises CannotOpen."""
        self.service = service
        self.path = data / service
        if not data.is_dir():
            raise CannotOpen(
                f"DATA_DIR is {data}, which is not a folder: make it, or mount the volume."
            )
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotOpen(f"{self.path} can not be written to: {error.strerror}.") from None
        self._take_lock()
        self._check_writable()

    def close(self) -> None:
        os.close(self._lock)

    def place(self, kind: Kind, number: int) -> Path:
        return self.path / f"{kind}-{number:08d}"

    def numbers(self, kind: Kind) -> list[int]:
        """Of the files of a kind, ascending."""
        matches = (_NAME.fullmatch(file.name) for file in self.path.iterdir())
        return sorted(int(match[2]) for match in matches if match and match[1] == kind)

    def create(self, kind: Kind, number: int) -> int:
        """An open file with its header; it has its name only once ``publish`` was called."""
        place = self.place(kind, number)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        file = os.open(f"{place}{UNFINISHED}", flags, 0o600)
        try:
            write_all(file, Header(self.service, kind, number).encoded(), 0)
        except OSError:
            os.close(file)
            raise
        return file

    def publish(self, kind: Kind, number: int, file: int) -> None:
        """Gives the file its name when all that is in it is safe."""
        place = self.place(kind, number)
        os.fsync(file)
        place.with_name(place.name + UNFINISHED).rename(place)
        self._sync()

    def discard_before(self, number: int) -> None:
        """Takes away what a snapshot of this number has made superfluous."""
        for kind in Kind:
            for old in self.numbers(kind):
                if old < number:
                    self.place(kind, old).unlink()
        for leftover in self.path.glob(f"*{UNFINISHED}"):
            leftover.unlink()

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise CannotOpen(f"{self.path} is in use by another process.") from None
            raise CannotOpen(f"{self.path} can not be locked: {error.strerror}.") from None

    def _check_writable(self) -> None:
        """A full disk may be written to again; a folder that was mounted read-only may not."""
        probe = self.path / f"probe{UNFINISHED}"
        try:
            os.close(os.open(probe, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            probe.unlink()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                self.close()
                raise CannotOpen(f"{self.path} can not be written to: {error.strerror}.") from None

    def _sync(self) -> None:
        """A name is safe on the disk only when its folder is."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_all(file: int, content: bytes, position: int) -> None:
    """Raises OSError."""
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, position)
        view, position = view[written:], position + written
