"""What an instance does for the shards that it owns: it takes out what is settled."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from orders.cassandra.following import Follower, Shards
from orders.cassandra.lists import Listed, Lists
from orders.cassandra.news import News, Notice
from orders.cassandra.partitions import Partitions, Whole
from orders.cassandra.room import Room
from orders.cassandra.sharding import shard_of
from orders.domain import Final, Known, Order, PendingOrder
from store.cassandra.bridge import StoreAway

# A change is there, and told, soon after it was announced; its deputy has heard of it, too.
FIRST_LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# What was announced so long ago and is not there will not come any more.
NEVER_SECONDS = 60.0
AT_ONCE = 16


class Owner(Follower):
    def __init__(
        self,
        shards: Shards,
        lists: Lists,
        news: News,
        partitions: Partitions,
        room: Room,
        *,
        ring: Callable[[datetime], None],
    ) -> None:
        super().__init__(shards, lists, news, partitions, ring=ring)
        self._room = room
        self._notices: dict[UUID, dict[UUID, Notice]] = {}
        # When each order is looked at, in monotonic seconds, and after how long the next time.
        self._looks: dict[UUID, tuple[float, float]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def look_around(self) -> None:
        """At all whose time has come."""
        now = time.monotonic()
        ready = [order_id for order_id, (when, _) in self._looks.items() if when <= now]
        await asyncio.gather(*map(self._look, ready))

    def look_soon(self, order_id: UUID) -> None:
        if order_id in self._notices:
            ages = (notice.age for notice in self._notices[order_id].values())
            pause = max(0.0, FIRST_LOOK_SECONDS - min(ages))
            self._looks[order_id] = (time.monotonic() + pause, FIRST_LOOK_SECONDS)

    async def learn(self, order_id: UUID) -> Whole:
        entry = self.agenda.get(order_id)
        rows = set(entry.rows) if entry else set()
        whole = await super().learn(order_id)
        if whole.is_over and isinstance(whole.known, Final):
            notices = self._notices.get(order_id, {}).values()
            rows |= {each.listed for each in notices if each.listed}
            await self._unlist(whole.known.user_id, rows)
            await self._room.leave(whole.known.user_id, order_id)
        return whole

    def _drop(self, shards: set[int]) -> None:
        super()._drop(shards)
        for order_id in [each for each in self._notices if shard_of(each) in shards]:
            del self._notices[order_id]
            self._looks.pop(order_id, None)

    def _note(self, notice: Notice) -> None:
        known = self._notices.setdefault(notice.order_id, {})
        if notice.at not in known:
            known[notice.at] = notice
            self.look_soon(notice.order_id)
            super()._note(notice)

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
        known = await self._present(order_id)
        notices = list(self._notices.get(order_id, {}).values())
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
                await self._unlist_ghosts(over)
        entry = self.agenda.get(order_id)
        # Who owns the shard by now has to hear of it, too.
        if self.follows(order_id) and (entry is None or not entry.messages):
            await asyncio.gather(*map(self._news.drop, over))
            self._put_away(order_id, over)

    async def _present(self, order_id: UUID) -> Known | None:
        """How the order is; it is not read when this instance has changed and told it itself."""
        entry = self.agenda.get(order_id)
        if entry is None or not entry.is_sure or entry.messages:
            return (await self.learn(order_id)).known
        return entry.known

    async def _tidy(self, order: Order) -> None:
        """Each version stands in a list of its own until it is known which of them is true."""
        entry, true = self.agenda.get(order.id), Listed.of(order)
        if entry is None:
            return
        old = [row for row in entry.rows if row.version <= order.version and row.key != true.key]
        await self._lists.remove(old)
        others = [row for row in old if row.created_at != true.created_at]
        await self._lists.remove_for_user(order.user_id, others)
        entry.rows.difference_update(old)
        if order.stage.is_last:
            await self._room.leave(order.user_id, order.id)

    async def _unlist_ghosts(self, over: Collection[Notice]) -> None:
        rows = [each.listed for each in over if each.listed]
        if rows:
            await self._unlist(next(iter(over)).user_id, rows)

    async def _unlist(self, user_id: str, rows: Collection[Listed]) -> None:
        await asyncio.gather(self._lists.remove(rows), self._lists.remove_for_user(user_id, rows))

    def _put_away(self, order_id: UUID, over: Iterable[Notice]) -> None:
        left = self._notices.get(order_id, {})
        for notice in over:
            left.pop(notice.at, None)
        if not left:
            self._notices.pop(order_id, None)
            self._looks.pop(order_id, None)
