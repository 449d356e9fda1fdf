"""Requests for one partition that wait together are decided together, by one task."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from store.cassandra.bridge import OutcomeUnknown, StoreAway
from store.tasks import Tasks

PATIENCE_SECONDS = 0.95

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
A = TypeVar("A")
# What each of the requests for a key comes to; None where it has to be decided anew.
Decide = Callable[[K, Sequence[R]], Awaitable[Sequence[A] | None]]


@dataclass(slots=True)
class _Waiting(Generic[R, A]):
    request: R
    answer: "asyncio.Future[A]"


@dataclass(slots=True)
class _Desk(Generic[R, A]):
    """Present while there are any."""

    waiting: deque[_Waiting[R, A]] = field(default_factory=deque)


class Merging(Generic[K, R, A]):
    """One desk a key: conditional writes of one instance never stand in each other's way."""

    def __init__(self, tasks: Tasks, decide: Decide[K, R, A], *, name: str, most: int) -> None:
        """``decide`` gets ``most`` requests at once, and the same ones again when it did not
        know.
        """
        self._tasks = tasks
        self._decide = decide
        self._name = name
        self._most = most
        self._desks: dict[K, _Desk[R, A]] = {}

    async def ask(self, key: K, request: R) -> A:
        """Raises StoreAway; OutcomeUnknown after PATIENCE_SECONDS."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        desk = self._desks.get(key)
        if desk is None:
            desk = self._desks[key] = _Desk()
            self._tasks.start(self._serve(key, desk), name=f"{self._name} of {key}")
        desk.waiting.append(_Waiting(request, answer))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await answer
        except TimeoutError:
            raise OutcomeUnknown from None

    async def _serve(self, key: K, desk: _Desk[R, A]) -> None:
        try:
            # One turn of the loop: who asks at the same moment goes along.
            await asyncio.sleep(0)
            while desk.waiting:
                size = min(self._most, len(desk.waiting))
                await self._answer(key, [desk.waiting.popleft() for _ in range(size)])
        finally:
            del self._desks[key]

    async def _answer(self, key: K, taken: Sequence[_Waiting[R, A]]) -> None:
        waiting, answers = _present(taken), None
        try:
            while waiting and answers is None:
                answers = await self._decide(key, [each.request for each in waiting])
                if answers is None:
                    waiting = _present(waiting)
        except BaseException as error:
            # Nobody may wait for an answer that will not come.
            for each in _present(waiting):
                each.answer.set_exception(error if isinstance(error, StoreAway) else StoreAway())
            if not isinstance(error, StoreAway):
                raise
            return
        for each, answer in zip(waiting, answers or (), strict=True):
            if not each.answer.done():
                each.answer.set_result(answer)


def _present(waiting: Sequence[_Waiting[R, A]]) -> list[_Waiting[R, A]]:
    """Without those that have gone meanwhile."""
    return [each for each in waiting if not each.answer.done()]
