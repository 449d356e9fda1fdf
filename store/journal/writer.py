"""A running journal: changes are applied on the loop, written in groups by one thread.

A store applies a change in memory, at once, and calls ``write`` before it awaits anything else:
so the order in the file is the order in memory. While one group is on its way to the disk the
next one gathers; whoever waits is told when its group is there. What is in the file is always a
beginning of what was in memory.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from typing import TypeVar

import msgspec

from store.journal import compaction
from store.journal.compaction import Debt, Snapshot
from store.journal.errors import JournalUnavailable
from store.journal.folder import Folder
from store.journal.format import Change, Kind, encode_record, payload_of
from store.journal.replay import Replayed
from store.journal.segment import RESERVED_BYTES, Segment

T = TypeVar("T")

LARGEST_RECORD_BYTES = 1024 * 1024
HOUSEKEEPING_SECONDS = 1.0
# Time for the answers that say what happened.
LAST_WORDS_SECONDS = 0.5
EXIT_STATUS = 70

log = logging.getLogger(__name__)


class Sync(StrEnum):
    """When what need not be safe on the disk before its answer is made so."""

    ALWAYS = "always"
    INTERVAL = "interval"
    NEVER = "never"


class _Group:
    """Records that share one write, and the moment in which they are all there."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.size = 0
        self.synced = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, record: bytes, *, synced: bool) -> None:
        self.records.append(record)
        self.size += len(record) + 1
        self.synced = self.synced or synced

    def fail(self, error: Exception) -> None:
        self.done.set_exception(error)
        self.done.exception()  # perhaps nobody waits for it


def end_the_process() -> None:
    """Memory holds what the disk does not: only a new process knows what is true."""
    asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, os._exit, EXIT_STATUS)


class Journal:
    """The journal of one service; to be made and used on the running loop."""

    def __init__(
        self,
        folder: Folder,
        state: Replayed,
        *,
        sync: Sync = Sync.INTERVAL,
        reserve: int = RESERVED_BYTES,
        compact_at: int = compaction.SMALLEST_BYTES,
        give_up: Callable[[], None] = end_the_process,
    ) -> None:
        """Raises OSError. ``give_up`` is called when the disk has failed."""
        self._folder = folder
        self._tables = state.tables
        self._sync = sync
        self._reserve = reserve
        self._margin = min(LARGEST_RECORD_BYTES, reserve // 4)
        self._give_up = give_up
        self._sources: list[compaction.Source] = []
        self._debt = Debt(state.snapshot_bytes, state.logged_bytes, least=compact_at)
        self._number = max(state.number, 1)
        self._segment = self._first_segment(state)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"journal-{folder.service}")
        self._failure: str | None = None
        self._writing, self._forming = _Group(), _Group()
        self._promised = self._writing.done
        self._promised.set_result(None)
        self._wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def take(self, table: str) -> dict[str, bytes]:
        """The rows that were replayed, as JSON by key; they are handed out once."""
        return self._tables.pop(table, {})

    def keep(self, source: compaction.Source) -> None:
        """``source`` gives all rows of its tables as they are now, for snapshots."""
        self._sources.append(source)

    def open(self) -> None:
        """Begins to write."""
        self._tasks = [
            asyncio.create_task(self._write_groups(), name="journal"),
            asyncio.create_task(self._keep_house(), name="journal housekeeping"),
        ]

    def admit(self) -> None:
        """To be asked before anything is changed in memory. Raises JournalUnavailable."""
        if (problem := self.unready()) is not None:
            raise JournalUnavailable(problem)
        if self._room() < self._margin:
            raise JournalUnavailable("Too many changes wait for the disk; come back in a moment.")

    async def write(self, changes: Sequence[Change], *, synced: bool) -> None:
        """Returns when the changes were handed to the system: a killed process loses nothing.

        With ``synced``, when they are safe on the disk, and all that was written before them.
        """
        if self._failure:
            raise JournalUnavailable(self._failure)
        synced = synced or self._sync is Sync.ALWAYS
        group = self._forming
        group.add(encode_record(changes), synced=synced)
        if synced:
            self._promised = group.done
        self._wanted.set()
        # Shielded: one who is cancelled must not cancel the others of his group.
        await asyncio.shield(group.done)

    async def settled(self) -> None:
        """Returns when every ``synced`` change so far is safe: before the world is told of one."""
        await asyncio.shield(self._promised)

    def unready(self) -> str | None:
        """Why nothing can be changed, or None."""
        problem = self._segment.problem
        if problem is not None and self._room() < self._margin:
            return f"The journal has no room to write ({problem.strerror})."
        return self._failure

    async def close(self) -> None:
        """Writes what waits, makes it safe and lets the folder go."""
        while self._forming.records and not self._failure:
            await asyncio.wait({self._forming.done})
        await asyncio.wait({self._writing.done})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._in_thread(self._end)
        self._thread.shutdown()
        self._folder.close()

    async def compact(self) -> None:
        """Puts a snapshot of all rows in the place of the logs so far. Raises OSError."""
        self._debt.begin()
        await self._in_thread(self._rotate)
        snapshot = await self._in_thread(partial(Snapshot.begin, self._folder, self._number))
        try:
            await compaction.write_rows(snapshot, self._rows(), in_thread=self._in_thread)
            # What it has seen in memory may still be on its way to the log.
            await self._flushed()
            await self._in_thread(snapshot.publish)
        finally:
            await self._in_thread(snapshot.close)
        self._debt.paid(snapshot.size)

    async def _write_groups(self) -> None:
        while not self._failure:
            await self._wanted.wait()
            self._wanted.clear()
            self._writing, self._forming = self._forming, _Group()
            try:
                await self._in_thread(partial(self._append, self._writing))
            except OSError as error:
                self._fail(error)
            else:
                self._debt.add(self._writing.size)
                self._writing.done.set_result(None)

    async def _keep_house(self) -> None:
        """Once a second: syncs what is not, asks a full disk for room again, compacts."""
        while not self._failure:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            try:
                await self._in_thread(self._tidy)
            except OSError as error:
                self._fail(error)
                return
            if self._debt.is_due:
                await self._try_to_compact()

    async def _try_to_compact(self) -> None:
        try:
            await self.compact()
        except OSError as error:
            log.warning("%s was not compacted: %s", self._folder.path, error.strerror)

    def _rows(self) -> Iterator[Change]:
        """Those that nobody has taken stay as they are."""
        for table, rows in list(self._tables.items()):
            yield from ((table, key, msgspec.Raw(row)) for key, row in rows.items())
        for source in self._sources:
            yield from source()

    async def _flushed(self) -> None:
        await self.write([], synced=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _fail(self, error: OSError) -> None:
        """A disk that failed once may have lost anything since the last time it did not."""
        self._failure = f"The journal could not be written ({error.strerror})."
        log.critical(
            "%s could not be written (%s): the service ends, and goes on from what is on the disk"
            " when it is started again",
            *(self._folder.path, error.strerror),
        )
        for group in (self._writing, self._forming):
            if not group.done.done():
                group.fail(JournalUnavailable(self._failure))
        self._give_up()

    def _room(self) -> int:
        waiting = self._forming.size + (0 if self._writing.done.done() else self._writing.size)
        return self._segment.reserved - self._segment.end - waiting

    # -- In the thread ----------------------------------------------------------------------

    def _append(self, group: _Group) -> None:
        self._segment.append(payload_of(group.records), synced=group.synced)

    def _tidy(self) -> None:
        if self._sync is not Sync.NEVER and self._segment.is_dirty:
            self._segment.seal()
        self._segment.make_room()

    def _rotate(self) -> None:
        self._segment.seal()
        fresh = Segment.create(self._folder, self._number + 1, reserve=self._reserve)
        if fresh.problem is not None:
            fresh.close()
            self._folder.place(Kind.LOG, self._number + 1).unlink()
            raise fresh.problem
        self._segment.close()
        self._segment, self._number = fresh, self._number + 1

    def _end(self) -> None:
        if not self._failure:
            self._segment.seal()
        self._segment.close()

    def _first_segment(self, state: Replayed) -> Segment:
        if state.number:
            return Segment.reopen(self._folder, self._number, end=state.end, reserve=self._reserve)
        return Segment.create(self._folder, self._number, reserve=self._reserve)
