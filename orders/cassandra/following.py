"""Knows of every order of some shards, by their lists once and by the news from then on."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from orders.cassandra.agenda import Agenda, told_of
from orders.cassandra.lists import Lists
from orders.cassandra.news import News, Notice
from orders.cassandra.partitions import Partitions, Whole
from orders.cassandra.sharding import shard_of

Shards = Callable[[], frozenset[int]]


class Follower:
    """Keeps an agenda; that somebody else's owns the shards makes no difference to it."""

    def __init__(
        self,
        shards: Shards,
        lists: Lists,
        news: News,
        partitions: Partitions,
        *,
        ring: Callable[[datetime], None],
    ) -> None:
        """``shards``: which they are at this moment. ``ring`` hears of what falls due."""
        self.agenda = Agenda()
        self._wanted = shards
        self._lists = lists
        self._news = news
        self._partitions = partitions
        self._ring = ring
        self._loaded: set[int] = set()

    @property
    def shards(self) -> frozenset[int]:
        """Those that are in the agenda and still this instance's."""
        return self._wanted() & self._loaded

    def follows(self, order_id: UUID) -> bool:
        return shard_of(order_id) in self.shards

    async def load(self) -> None:
        """Reads the shards that are new here. Raises StoreAway."""
        self.lose_what_is_gone()
        if gained := self._wanted() - self._loaded:
            await self._load(sorted(gained))

    async def load_again(self) -> None:
        """What was not heard of, for whatever reason, is found in the lists. Raises StoreAway."""
        if shards := sorted(self.shards):
            await self._load(shards)

    async def hear(self, *, everything: bool = False) -> None:
        """What others announced, and this instance itself. Raises StoreAway."""
        if shards := sorted(self.shards):
            read = self._news.all if everything else self._news.latest
            self._note_all(await read(shards))

    async def learn(self, order_id: UUID) -> Whole:
        """Reads how an order is. Raises StoreAway."""
        whole = await self._partitions.whole(order_id)
        if whole.is_over:
            self.agenda.drop(order_id)
        elif whole.known is not None and self.follows(order_id):
            told = told_of(whole.messages)
            self.agenda.learn(whole.known, told, since=time.monotonic())
            self._ring_for(order_id)
        return whole

    def lose_what_is_gone(self) -> None:
        if lost := self._loaded - self._wanted():
            self._loaded -= lost
            self._drop(lost)

    def _drop(self, shards: set[int]) -> None:
        self.agenda.drop_shards(shards)

    def _note_all(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            if self.follows(notice.order_id):
                self._note(notice)

    def _note(self, notice: Notice) -> None:
        if notice.listed is not None:
            self.agenda.hint(notice.listed, since=time.monotonic() - notice.age)
            self._ring_for(notice.order_id)

    async def _load(self, shards: list[int]) -> None:
        """A row says how an order may stand; where several do, there are news of it, too."""
        rows, notices = await asyncio.gather(self._lists.of_shards(shards), self._news.all(shards))
        now = time.monotonic()
        for row in rows:
            self.agenda.hint(row, since=now)
        self._loaded.update(shards)
        self.lose_what_is_gone()
        self._note_all(notices)
        if (due_at := self.agenda.next_due()) is not None:
            self._ring(due_at)

    def _ring_for(self, order_id: UUID) -> None:
        entry = self.agenda.get(order_id)
        if entry is not None and entry.is_armed and entry.next_at is not None:
            self._ring(entry.next_at)
