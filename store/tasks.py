"""Background tasks with an owner: none is lost to the garbage collector, none fails in silence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from store.errors import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

RESTART_AFTER_SECONDS = 1.0


class Tasks:
    """The tasks of one service; they end when it closes."""

    def __init__(self) -> None:
        self._started: set[asyncio.Task[Any]] = set()
        self._supervised: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._started)

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Runs ``work`` to its end whatever becomes of the request that began it."""
        task = asyncio.create_task(work, name=name)
        self._started.add(task)
        task.add_done_callback(self._ended)
        return task

    def supervise(self, work: Callable[[], Awaitable[None]], *, name: str) -> None:
        """Runs ``work`` for as long as the service is open; after a crash it starts again."""
        task = asyncio.create_task(_again_and_again(work, name), name=name)
        self._supervised.add(task)
        task.add_done_callback(self._supervised.discard)

    async def close(self, *, seconds: float) -> None:
        """Ends the supervised tasks, waits for the others, then cancels what is left."""
        await _cancel(self._supervised)
        try:
            async with asyncio.timeout(seconds):
                # Until none is left: a task that ends may have started another.
                while self._started:
                    await asyncio.wait(set(self._started))
                    await asyncio.sleep(0)
        except TimeoutError:
            await _cancel(self._started)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._started.discard(task)
        # Asking for the exception also tells asyncio that somebody has seen it.
        error = None if task.cancelled() else task.exception()
        # What is away says so itself, once; who waits for the task answers 503.
        if error is not None and not isinstance(error, Unavailable):
            log.error("Task %s failed", task.get_name(), exc_info=error)


async def _again_and_again(work: Callable[[], Awaitable[None]], name: str) -> None:
    while True:
        try:
            await work()
        except Exception:
            log.exception("Task %s failed; it starts again", name)
        except asyncio.CancelledError:
            if _is_told_to_stop():
                raise
            log.exception("Task %s waited for something cancelled; it starts again", name)
        await asyncio.sleep(RESTART_AFTER_SECONDS)


def _is_told_to_stop() -> bool:
    """Whether this very task is being cancelled, and not one that it waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    doomed = set(tasks)
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
