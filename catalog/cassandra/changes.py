"""The log of changes: what one instance writes, the lists of the others show within a second.

A change is announced before it is made and once more when it is done. Whoever reads the first
word keeps looking until the second one comes, or, where it never does, until nothing can come
of it any more: so a crash in between leaves no list behind.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from cassandra.util import min_uuid_from_time, unix_time_from_uuid1

from store.cassandra.bridge import Bridge, Row, StoreAway

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 0.9
LOST_SECONDS = 5.0
# Clocks of nodes and instances may differ by so much.
SKEW_SECONDS = 3
# A statement ends within a second; past this nothing is under way any more.
WATCH_SECONDS = 10.0
KEPT_SECONDS = 3600
MINUTE = 60

Refresh = Callable[[Sequence[UUID]], Awaitable[None]]


class Changes:
    """The log, written and read; ``refresh(ids)`` reads products anew, ``reload`` all of them."""

    def __init__(
        self,
        bridge: Bridge,
        *,
        refresh: Refresh,
        reload: Callable[[], Awaitable[None]],
        reload_soon: Callable[[], None],
    ) -> None:
        """``reload_soon`` does so while the lists go on being followed."""
        self._bridge = bridge
        self._refresh = refresh
        self._reload = reload
        self._reload_soon = reload_soon
        self._me = uuid4()
        self._seen: dict[UUID, float] = {}
        self._watched: dict[UUID, tuple[Sequence[UUID], float]] = {}
        self._read_to = 0.0  # the wall clock when the last reading began
        self._fresh_at = float("-inf")  # the monotonic one
        self._has_failed = True
        self._was_read = asyncio.Condition()

    @classmethod
    def writing(cls, bridge: Bridge) -> "Changes":
        """For a program that has no lists of its own."""

        async def nothing(*_: object) -> None:
            """There is nothing to refresh."""

        return cls(bridge, refresh=nothing, reload=nothing, reload_soon=lambda: None)

    def begin(self) -> None:
        """From this moment on: called before the products are first read."""
        self._read_to = time.time()

    @asynccontextmanager
    async def announced(self, product_ids: Sequence[UUID]) -> AsyncIterator[None]:
        """Around a change of these products."""
        change = uuid4()
        await self._announce(change, product_ids, is_done=False)
        try:
            yield
        except BaseException:
            # Perhaps it happens yet: the lists here keep looking like all the others.
            self._watch(change, product_ids)
            raise
        try:
            await self._announce(change, product_ids, is_done=True)
        except StoreAway:
            log.warning("A change is done and could not be announced; the others find it")

    async def announce_everything(self) -> None:
        """No products at all stands for: read everything anew."""
        await self._announce(uuid4(), [], is_done=True)

    async def be_fresh(self) -> None:
        """Returns when the lists are at most a second behind. Raises StoreAway."""
        if time.monotonic() - self._fresh_at <= FRESH_SECONDS:
            return
        if self._has_failed:
            raise StoreAway
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._was_read:
                await self._was_read.wait_for(lambda: self._fresh_at >= asked_at - FRESH_SECONDS)
        except TimeoutError:
            raise StoreAway from None

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self._fresh_at <= FRESH_SECONDS + PATIENCE_SECONDS

    async def follow(self) -> None:
        """Reads the log until it could not be read for LOST_SECONDS."""
        works_at = time.monotonic()
        while time.monotonic() - works_at < LOST_SECONDS:
            try:
                await self._poll()
                works_at = time.monotonic()
                self._has_failed = False
                self._bridge.outage.works()
            except StoreAway:
                self._has_failed = True
            async with self._was_read:
                self._was_read.notify_all()
            await asyncio.sleep(POLL_SECONDS)

    async def _poll(self) -> None:
        began_at, now = time.monotonic(), time.time()
        if now - self._read_to > KEPT_SECONDS - MINUTE:
            await self._reload()
        rows = await self._news(now)
        news, is_everything = self._sorted(rows, began_at)
        if is_everything:
            self._reload_soon()
        overdue = [change for change, (_, until) in self._watched.items() if until < began_at]
        watched = [each for ids, _ in self._watched.values() for each in ids]
        if ids := list(dict.fromkeys([*news, *watched])):
            try:
                await self._refresh(ids)
            except StoreAway:
                self._watch(uuid4(), ids)
                raise
        for change in overdue:
            self._watched.pop(change, None)
        self._read_to, self._fresh_at = now, began_at
        self._forget(now)

    async def _news(self, now: float) -> list[Row]:
        since = self._read_to - SKEW_SECONDS
        first, last = int(since) // MINUTE, int(now + SKEW_SECONDS) // MINUTE
        after = min_uuid_from_time(since)
        answers = await asyncio.gather(
            *(self._bridge.ask("changes", minute, after) for minute in range(first, last + 1))
        )
        return [row for rows in answers for row in rows]

    def _sorted(self, rows: Sequence[Row], now: float) -> tuple[list[UUID], bool]:
        """The products to be read anew, and whether all are."""
        news: list[UUID] = []
        is_everything = False
        for at, change, writer, product_ids, is_done in rows:
            if at in self._seen:
                continue
            self._seen[at] = unix_time_from_uuid1(at)
            if not product_ids:
                is_everything = True
            elif writer != self._me:
                news += product_ids
                if is_done:
                    self._watched.pop(change, None)
                else:
                    self._watched[change] = (product_ids, now + WATCH_SECONDS)
        return news, is_everything

    def _watch(self, change: UUID, product_ids: Sequence[UUID]) -> None:
        self._watched[change] = (product_ids, time.monotonic() + WATCH_SECONDS)

    def _forget(self, now: float) -> None:
        old = [at for at, moment in self._seen.items() if moment < now - 4 * SKEW_SECONDS]
        for at in old:
            del self._seen[at]

    async def _announce(self, change: UUID, product_ids: Sequence[UUID], *, is_done: bool) -> None:
        minute = int(time.time()) // MINUTE
        await self._bridge.ask("announce", minute, change, self._me, list(product_ids), is_done)
