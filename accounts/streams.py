"""Live news of orders, from one publisher to the open event streams of each person."""

import asyncio
from collections import deque

from accounts.domain import OrderUpdate, TooManyStreams

PENDING_LIMIT = 100
RETRY_AFTER_SECONDS = 10


class Subscription:
    """One open stream: what it has not sent yet, and whether it goes on."""

    def __init__(self) -> None:
        self._pending: deque[OrderUpdate] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    @property
    def is_over(self) -> bool:
        return self._ended and not self._pending

    def push(self, update: OrderUpdate) -> None:
        """A reader too slow is let go: it comes back with the id it saw last."""
        if len(self._pending) >= PENDING_LIMIT:
            self._pending.clear()
            self.end()
        elif not self._ended:
            self._pending.append(update)
            self._changed.set()

    def end(self) -> None:
        """What is pending is still read."""
        self._ended = True
        self._changed.set()

    async def next(self, *, within: float) -> OrderUpdate | None:
        """None after so many seconds of silence, or when it is over."""
        if not self._pending and not self._ended:
            self._changed.clear()
            try:
                async with asyncio.timeout(within):
                    await self._changed.wait()
            except TimeoutError:
                return None
        return self._pending.popleft() if self._pending else None


class Streams:
    """Who listens to whose news; bounded for each person and over all."""

    def __init__(self, *, per_user: int, limit: int) -> None:
        self._per_user = per_user
        self._limit = limit
        self._open: dict[str, list[Subscription]] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def check_room(self, username: str) -> None:
        """Raises TooManyStreams."""
        if len(self._open.get(username, ())) >= self._per_user or self._count >= self._limit:
            raise TooManyStreams(retry_after=RETRY_AFTER_SECONDS)

    def subscribe(self, username: str) -> Subscription:
        """The caller owes an ``unsubscribe``. Raises TooManyStreams."""
        self.check_room(username)
        subscription = Subscription()
        if self._closed:
            subscription.end()
        self._open.setdefault(username, []).append(subscription)
        self._count += 1
        return subscription

    def unsubscribe(self, username: str, subscription: Subscription) -> None:
        mine = self._open[username]
        mine.remove(subscription)
        self._count -= 1
        if not mine:
            del self._open[username]

    async def begin(self, username: str) -> None:
        """From here on this person's streams hear everything."""

    def publish(self, update: OrderUpdate) -> None:
        for subscription in self._open.get(update.user_id, ()):
            subscription.push(update)

    def close(self) -> None:
        """Ends every stream; those that come later end at once."""
        self._closed = True
        for subscriptions in self._open.values():
            for subscription in subscriptions:
                subscription.end()
