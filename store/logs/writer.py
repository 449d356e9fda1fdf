"""Where log lines go: they wait in memory for a thread that writes them, and nobody waits for it.

A standard output that takes nothing more (a full disk, a reader that stopped) holds up that
thread alone. What comes past ``MOST_WAITING`` lines is dropped, counted, and said afterwards.
"""

import atexit
import logging
import os
import select
import threading
from collections import deque
from itertools import islice

from prometheus_client import Counter

STDOUT, STDERR = 1, 2
MOST_WAITING = 20_000
LINES_AT_A_TIME = 500
# Lines of requests are collected for so long; a warning goes out at once.
COLLECTING_SECONDS = 0.1
CLOSING_SECONDS = 2.0

DROPPED = Counter("log_lines_dropped", "Log lines that standard output did not take in time.")

log = logging.getLogger(__name__)


class Writer:
    """Closed, it writes to standard error at once: what commands and failed starts have to say.

    Open, it is a service's log on standard output.
    """

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._something = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._dropped = 0
        self._fd = STDERR

    def open(self, fd: int = STDOUT) -> None:
        if self._thread is not None:
            return
        self._fd = fd
        self._is_closing = False
        self._hurry.clear()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes, *, is_urgent: bool = False) -> None:
        """Takes a line with its end; never blocks while open."""
        if self._thread is None:
            _write(STDERR, line)
            return
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(line)
        if not self._something.is_set():
            self._something.set()
        if is_urgent:
            self._hurry.set()

    def close(self) -> None:
        """Writes what waits, for as long as CLOSING_SECONDS."""
        thread = self._thread
        if thread is None:
            return
        self._is_closing = True
        self._hurry.set()
        self._something.set()
        thread.join(CLOSING_SECONDS)
        self._thread = None

    def _run(self) -> None:
        while not self._is_closing:
            self._something.wait()
            self._hurry.wait(COLLECTING_SECONDS)
            self._hurry.clear()
            # Before the lines are taken: one that comes meanwhile must not go unheard.
            self._something.clear()
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        waiting = self._waiting
        while waiting:
            lines = list(islice(waiting, LINES_AT_A_TIME))
            _write(self._fd, b"".join(lines))
            for _ in lines:
                waiting.popleft()
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            DROPPED.inc(dropped)
            log.warning("%d log lines were dropped: standard output took no more", dropped)


def _write(fd: int, data: bytes) -> None:
    """All of it, however long that takes; nothing where nobody listens any more."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            select.select([], [fd], [], 1.0)
        except OSError:
            return


writer = Writer()
atexit.register(writer.close)
