"""What an instance does for the shards that it looks after."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from orders.cassandra.agenda import Agenda, told_of
from orders.cassandra.leases import Leases
from orders.cassandra.lists import Listed, Lists
from orders.cassandra.news import News, Notice
from orders.cassandra.partitions import Partitions
from orders.cassandra.room import Room
from orders.cassandra.sharding import shard_of
from orders.domain import Final, Known, Order, PendingOrder
from store.cassandra.bridge import StoreAway

# A change is there, and told, soon after it was announced; what is not is looked at again.
FIRST_LOOK_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 30.0
# What was announced so long ago and is not there will not come any more.
NEVER_SECONDS = 60.0
AT_ONCE = 16


class Owner:
    """Keeps the agenda of its shards, and takes out what is settled."""

    def __init__(
        self,
        leases: Leases,
        lists: Lists,
        news: News,
        partitions: Partitions,
        room: Room,
        *,
        ring: Callable[[datetime], None],
    ) -> None:
        """``ring`` hears of what falls due."""
        self.agenda = Agenda()
        self._leases = leases
        self._lists = lists
        self._news = news
        self._partitions = partitions
        self._room = room
        self._ring = ring
        self._loaded: set[int] = set()
        self._notices: dict[UUID, dict[UUID, Notice]] = {}
        # When each order is looked at, in monotonic seconds, and after how long the next time.
        self._looks: dict[UUID, tuple[float, float]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def shards(self) -> frozenset[int]:
        """Those that are in the agenda and still this instance's."""
        return self._leases.held & self._loaded

    def owns(self, order_id: UUID) -> bool:
        return shard_of(order_id) in self.shards

    async def beat(self) -> None:
        """Raises StoreAway."""
        try:
            await self._leases.beat()
        finally:
            self._lose(self._loaded - self._leases.held)

    async def load(self) -> None:
        """Reads the shards that are new here. Raises StoreAway."""
        if gained := self._leases.held - self._loaded:
            await self._load(sorted(gained))

    async def load_again(self) -> None:
        """What was not heard of, for whatever reason, is found in the lists. Raises StoreAway."""
        if shards := sorted(self.shards):
            await self._load(shards)

    async def give_back(self) -> None:
        """Raises StoreAway."""
        self._lose(self._loaded)
        await self._leases.give_back()

    async def hear(self, *, everything: bool = False) -> None:
        """What others announced, and this instance itself. Raises StoreAway."""
        if shards := sorted(self.shards):
            read = self._news.all if everything else self._news.latest
            for notice in await read(shards):
                self._note(notice)

    async def look_around(self) -> None:
        """At all whose time has come."""
        now = time.monotonic()
        ready = [order_id for order_id, (when, _) in self._looks.items() if when <= now]
        await asyncio.gather(*map(self._look, ready))

    async def learn(self, order_id: UUID) -> Known | None:
        """Reads how an order is. Raises StoreAway."""
        whole = await self._partitions.whole(order_id)
        if whole.known is None or (isinstance(whole.known, Final) and not whole.messages):
            if whole.known is not None:
                await self._bury(whole.known)
            self.agenda.drop(order_id)
        elif self.owns(order_id):
            told = told_of(whole.messages)
            self.agenda.learn(whole.known, told, since=time.monotonic())
            self._ring_for(order_id)
        return whole.known

    def look_soon(self, order_id: UUID) -> None:
        if order_id in self._notices:
            self._looks[order_id] = (time.monotonic(), FIRST_LOOK_SECONDS)

    async def _load(self, shards: list[int]) -> None:
        """A row says how an order may stand; where several do, there are news of it, too."""
        rows, notices = await asyncio.gather(self._lists.of_shards(shards), self._news.all(shards))
        now = time.monotonic()
        for row in rows:
            self.agenda.hint(row, since=now)
        self._loaded.update(shards)
        self._lose(self._loaded - self._leases.held)
        for notice in notices:
            self._note(notice)
        if (due_at := self.agenda.next_due()) is not None:
            self._ring(due_at)

    def _lose(self, shards: Iterable[int]) -> None:
        lost = set(shards)
        self._loaded -= lost
        self.agenda.drop_shards(lost)
        for order_id in [each for each in self._notices if shard_of(each) in lost]:
            del self._notices[order_id]
            self._looks.pop(order_id, None)

    def _note(self, notice: Notice) -> None:
        if not self.owns(notice.order_id):
            return
        known = self._notices.setdefault(notice.order_id, {})
        if notice.at in known:
            return
        known[notice.at] = notice
        first_look = time.monotonic() + FIRST_LOOK_SECONDS - min(notice.age, FIRST_LOOK_SECONDS)
        self._looks[notice.order_id] = (first_look, FIRST_LOOK_SECONDS)
        if notice.listed is not None:
            self.agenda.hint(notice.listed, since=time.monotonic() - notice.age)
            self._ring_for(notice.order_id)

    def _ring_for(self, order_id: UUID) -> None:
        entry = self.agenda.get(order_id)
        if entry is not None and entry.is_armed and entry.next_at is not None:
            self._ring(entry.next_at)

    async def _look(self, order_id: UUID) -> None:
        """Once more later, unless it is settled."""
        async with self._turns:
            if order_id not in self._notices:
                return
            _, pause = self._looks[order_id]
            longer = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._looks[order_id] = (time.monotonic() + pause, longer)
            with suppress(StoreAway):
                await self._settle(order_id)

    async def _settle(self, order_id: UUID) -> None:
        """Takes out what is over of an order: rows that are not true any more, and notices."""
        entry = self.agenda.get(order_id)
        if entry is None or not entry.is_sure or entry.messages:
            known = await self.learn(order_id)
        else:
            known = entry.known
        notices = list(self._notices[order_id].values())
        match known:
            case Order():
                await self._tidy(known)
                over = [each for each in notices if each.version <= known.version]
            case PendingOrder():
                return
            case Final():
                over = notices
            case None:
                over = [each for each in notices if each.age > NEVER_SECONDS]
                rows = [each.listed for each in over if each.listed]
                await self._unlist(notices[0].user_id, rows)
        entry = self.agenda.get(order_id)
        # Another owner has to hear of it, too.
        if self.owns(order_id) and (entry is None or not entry.messages):
            await asyncio.gather(*map(self._news.drop, over))
            self._put_away(order_id, over)

    async def _tidy(self, order: Order) -> None:
        """Each version stands in a list of its own until it is known which of them is true."""
        entry, true = self.agenda.get(order.id), Listed.of(order)
        if entry is None:
            return
        old = [row for row in entry.rows if row.version <= order.version and row.mark != true.mark]
        old += [row for row in entry.rows if row.mark == true.mark and row.status != true.status]
        await self._lists.remove(old)
        others = [row for row in old if row.created_at != true.created_at]
        await self._lists.remove_for_user(order.user_id, others)
        entry.rows.difference_update(old)
        if order.stage.is_last:
            await self._room.leave(order.user_id, order.id)

    async def _bury(self, final: Final) -> None:
        entry = self.agenda.get(final.id)
        rows = set(entry.rows) if entry else set()
        rows |= {each.listed for each in self._notices.get(final.id, {}).values() if each.listed}
        await self._unlist(final.user_id, rows)
        await self._room.leave(final.user_id, final.id)

    async def _unlist(self, user_id: str, rows: Collection[Listed]) -> None:
        await asyncio.gather(self._lists.remove(rows), self._lists.remove_for_user(user_id, rows))

    def _put_away(self, order_id: UUID, over: Iterable[Notice]) -> None:
        left = self._notices.get(order_id, {})
        for notice in over:
            left.pop(notice.at, None)
        if not left:
            self._notices.pop(order_id, None)
            self._looks.pop(order_id, None)
