"""Live news, whichever instance has heard them: people who listen here are looked up."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from accounts.cassandra.news import News
from accounts.domain import OrderUpdate
from accounts.streams import Streams, Subscription
from store.cassandra.bridge import StoreAway

# What another instance has heard comes at most this much later than what we have.
LOOK_SECONDS = 0.75


class SharedStreams(Streams):
    """Passes on what has arrived in the tables, by its number: in order, and once.

    What this instance has heard itself only makes it look at once.
    """

    def __init__(self, news: News, *, per_user: int, limit: int) -> None:
        super().__init__(per_user=per_user, limit=limit)
        self._news = news
        # Up to which number each person's streams have been told.
        self._told: dict[str, int] = {}
        self._due: set[str] = set()
        self._woken = asyncio.Event()

    async def begin(self, username: str) -> None:
        """Raises StoreAway."""
        if username not in self._told:
            arrived = await self._news.arrived([username])
            self._told.setdefault(username, arrived.get(username, 0))

    def publish(self, update: OrderUpdate) -> None:
        if update.user_id in self._told:
            self._due.add(update.user_id)
            self._woken.set()

    def unsubscribe(self, username: str, subscription: Subscription) -> None:
        super().unsubscribe(username, subscription)
        if username not in self._open:
            self._told.pop(username, None)

    async def follow(self) -> None:
        """For a supervised task."""
        while True:
            with suppress(StoreAway):
                await self._look(list(self._told))
            await self._look_at_those_due()

    async def _look_at_those_due(self) -> None:
        """Until it is time to look at all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while True:
                    await self._woken.wait()
                    self._woken.clear()
                    due, self._due = self._due, set()
                    with suppress(StoreAway):
                        await self._look(due)

    async def _look(self, usernames: Iterable[str]) -> None:
        arrived = await self._news.arrived(list(usernames))
        for username, number in arrived.items():
            if number > self._told.get(username, number):
                await self._tell(username)

    async def _tell(self, username: str) -> None:
        for number, update in await self._news.steps(username):
            # Nobody may have listened any more while we asked.
            if number > self._told.get(username, number):
                super().publish(update)
                self._told[username] = number
