"""An event loop in which waiting takes no time: its clock jumps to whatever is due next.

Nothing else moves that clock, and what would go to a thread is done on the loop after a delay:
so a run depends on its seed alone. (looptime, which does the first half, would be loaded into
every test of the project and leaves threads as they are.)
"""

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``disk_seconds`` draws how long the work of a thread takes."""

    def __init__(self, *, disk_seconds: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__(_JumpingSelector(self))
        self.now = 0.0
        self._disk_seconds = disk_seconds
        self._free_at: dict[Any, float] = {}

    def time(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now)

    def run_in_executor(self, executor: Any, work: Any, *args: Any) -> Any:
        """One after the other for each executor, as a single thread does it."""
        done = self.create_future()
        ready_at = max(self.now, self._free_at.get(executor, 0.0)) + self._disk_seconds()
        self._free_at[executor] = ready_at
        self.call_at(ready_at, _do, done, work, args)
        return done


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("Everybody waits for something that will never happen.")
        self._loop.now += max(0.0, timeout)
        return super().select(0)


def _do(done: asyncio.Future[Any], work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """A cancelled wait is a dead process: it leaves undone what had not begun."""
    if done.cancelled():
        return
    try:
        done.set_result(work(*args))
    except Exception as error:  # noqa: BLE001  # whoever waits is told
        done.set_exception(error)
