"""Delivers the outbox: in order for each order and destination, at least once."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import Protocol
from uuid import UUID

from orders import metrics
from orders.alarm import Alarm
from orders.domain import Destination, OutboxMessage
from orders.repositories import OrderRepository
from store import tracing
from store.errors import Unavailable
from store.http import PeerAway, PeerRefused
from store.tasks import Tasks

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.05
FAILURES_THAT_MEAN_AWAY = 3
MOST_AT_ONCE = 50
# How long a worker that has just delivered lets messages gather, when none is waiting.
GATHERING_SECONDS = 0.02


class Courier(Protocol):
    async def deliver(self, messages: Sequence[OutboxMessage]) -> None:
        """Messages of different orders. Raises PeerAway or PeerRefused, then of all of them."""


def backoff(failures: int, *, longest: float, draw: Callable[[], float] = random.random) -> float:
    """The pause after so many failures: doubled each time, half of it at random."""
    pause = min(longest, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 30))
    return pause / 2 + pause / 2 * draw()


class Relay:
    """The messages for one destination.

    Two workers share the orders that have messages; one order is in the hands of one worker,
    which keeps its messages in order. While a worker delivers, what comes gathers, and goes in
    one delivery. While the destination is away only the first worker tries, more and more slowly;
    its first success lets the other go on.
    """

    def __init__(
        self,
        destination: Destination,
        repository: OrderRepository,
        courier: Courier,
        alarm: Alarm,
        *,
        workers: int = 2,
        longest_pause: float = 1.0,
    ) -> None:
        self._destination = destination
        self._repository = repository
        self._courier = courier
        self._alarm = alarm
        self._workers = workers
        self._longest_pause = longest_pause
        self._ready: asyncio.Queue[UUID] = asyncio.Queue()
        # Since when, in monotonic time; the first one has waited for longest.
        self._in_hand: dict[UUID, float] = {}
        self._more: set[UUID] = set()
        self._attempts: dict[UUID, int] = {}
        self._failures = 0
        self._is_there = asyncio.Event()
        self._is_there.set()
        self._changed = asyncio.Event()

    async def open(self, tasks: Tasks) -> None:
        """Takes up what an earlier process left."""
        await self.take_up()
        for place in range(self._workers):
            name = f"outbox-{self._destination}-{place}"
            tasks.supervise(partial(self._work, is_first=place == 0), name=name)

    async def take_up(self) -> None:
        """What was left behind by whoever should have delivered it."""
        for order_id in await self._repository.waiting(self._destination):
            if order_id not in self._in_hand:
                self.wake(order_id)

    def wake(self, order_id: UUID) -> None:
        """The order has a new message."""
        if order_id in self._in_hand:
            self._more.add(order_id)
        else:
            self._in_hand[order_id] = monotonic()
            self._ready.put_nowait(order_id)

    def seconds_waiting(self) -> float:
        """For how long the order that waits for longest has had a message; 0 for none."""
        now = monotonic()
        return now - next(iter(self._in_hand.values()), now)

    async def flush(self, *, seconds: float) -> None:
        """Waits until everything is delivered, or the destination turns out to be away."""
        try:
            async with asyncio.timeout(seconds):
                while self._in_hand and self._failures < FAILURES_THAT_MEAN_AWAY:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    async def _work(self, *, is_first: bool) -> None:
        while True:
            order_id = await self._ready.get()
            if self._failures and not is_first:
                self._ready.put_nowait(order_id)
                await self._is_there.wait()
                continue
            if self._failures:
                await asyncio.sleep(backoff(self._failures, longest=self._longest_pause))
            await self._take(self._together_with(order_id))
            if self._ready.empty():
                await asyncio.sleep(GATHERING_SECONDS)

    def _together_with(self, order_id: UUID) -> list[UUID]:
        """The order, and what else is ready by now, for one delivery.

        One that failed before goes alone: its message may be what does not work.
        """
        together = [order_id]
        if self._failures or order_id in self._attempts:
            return together
        while len(together) < MOST_AT_ONCE and not self._ready.empty():
            another = self._ready.get_nowait()
            if another in self._attempts:
                self._ready.put_nowait(another)
                break
            together.append(another)
        return together

    async def _take(self, order_ids: Sequence[UUID]) -> None:
        """Delivers what the orders have; comes back to them later when that does not work."""
        left = order_ids
        try:
            while left:
                messages = await self._repository.next_messages(self._destination, left)
                waiting = [message.order_id for message in messages]
                self._put_down(set(left).difference(waiting))
                left = waiting
                if messages and not await self._deliver(messages):
                    break
        except Unavailable:
            """The store is away, and says so itself."""
        finally:
            # Also when something failed and ends this worker's run: nothing is forgotten.
            self._retry_later(left)
            self._changed.set()

    async def _deliver(self, messages: Sequence[OutboxMessage]) -> bool:
        """Whether they arrived, or were refused for a reason that will not go away."""
        try:
            await self._sent(messages)
        except PeerAway:
            self._failed()
            return False
        except PeerRefused as refusal:
            if len(messages) > 1:
                # One of them is at fault, or the other side takes no more than one at a time.
                return all([await self._deliver([message]) for message in messages])
            self._dropped(messages[0], refusal)
        self._succeeded(messages)
        for due_at in await self._repository.delivered(messages):
            self._alarm.ring(due_at)
        return True

    async def _sent(self, messages: Sequence[OutboxMessage]) -> None:
        """Each is a step in the trace of its order; the call itself belongs to the last one's."""
        with ExitStack() as steps:
            for message in messages:
                step = tracing.tracer.step(f"deliver {message.kind}", message.order_id)
                steps.enter_context(step)
            await self._courier.deliver(messages)

    def _failed(self) -> None:
        self._failures += 1
        self._is_there.clear()
        metrics.FAILED.labels(destination=self._destination.value).inc()
        if self._failures == FAILURES_THAT_MEAN_AWAY:
            log.warning("%s is away; its messages wait", self._destination)

    def _succeeded(self, messages: Sequence[OutboxMessage]) -> None:
        if self._failures:
            self._failures = 0
            self._is_there.set()
        for message in messages:
            self._attempts.pop(message.order_id, None)

    def _dropped(self, message: OutboxMessage, refusal: PeerRefused) -> None:
        """One message that is never accepted must not hold up those behind it for ever."""
        metrics.DROPPED.labels(destination=self._destination.value).inc()
        # News that is lost is a pity; stock that is lost has to be put right by people.
        level = logging.CRITICAL if self._destination is Destination.CATALOG else logging.ERROR
        log.log(
            level,
            "%s refused %s %s of order %s for good: %s %s",
            *(message.destination, message.kind, message.sequence, message.order_id),
            *(refusal.status, refusal.message),
        )

    def _put_down(self, order_ids: Iterable[UUID]) -> None:
        for order_id in order_ids:
            self._in_hand.pop(order_id, None)
            if order_id in self._more:
                self._more.discard(order_id)
                self.wake(order_id)

    def _retry_later(self, order_ids: Iterable[UUID]) -> None:
        """Not at once and not before others: its message alone may be what does not work."""
        for order_id in order_ids:
            attempts = self._attempts[order_id] = self._attempts.get(order_id, 0) + 1
            pause = backoff(attempts, longest=self._longest_pause)
            asyncio.get_running_loop().call_later(pause, self._ready.put_nowait, order_id)
