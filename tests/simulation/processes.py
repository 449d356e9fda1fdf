"""The lives of a service in this process: it is opened, crashes with all it has, opens again."""

import asyncio
import os
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import httpx

from store import service
from store.asgi import application
from store.journal import Journal, Sync, open_journal
from store.journal.format import HEADER_SIZE

running: ContextVar["Process | None"] = ContextVar("running", default=None)
# Small, so that logs are put together while a run lasts.
RESERVE, COMPACT_AT = 256 * 1024, 16 * 1024

_served = httpx.ASGITransport(app=application, raise_app_exceptions=False)


class Process:
    """One life. Every task that it begins, or that one of those begins, ends with it."""

    _journal: Journal

    def __init__(self, name: str, data: Path, sync: Sync) -> None:
        self.name = name
        self.is_alive = False
        self._data = data
        self._sync = sync
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._context = copy_context()
        self._context.run(running.set, self)

    async def start(self) -> None:
        await self._begin(self._open())
        self.is_alive = True

    async def serve(self, request: httpx.Request) -> httpx.Response:
        """Raises ReadError when the process dies of it, or before it has answered."""
        answering = self._begin(_answer(request))
        await asyncio.wait({answering})
        if answering.cancelled():
            raise httpx.ReadError("The peer has died.")
        return answering.result()

    async def crash(self, *, tear: Callable[[int, int], int] | None = None) -> None:
        """``tear`` draws how much of the log a loss of power leaves, from what is safe to all.

        Without it the system lives on: all that was handed to it is there.
        """
        self.is_alive = False
        await self._end_tasks()
        journal = self._journal
        segment, folder = journal._segment, journal._folder
        # A log has its name only once its header is safe.
        safe, written = max(segment.synced, HEADER_SIZE), segment.end
        segment.close()
        if tear is not None:
            os.truncate(max(folder.path.glob("log-*[0-9]")), tear(safe, written))
        folder.close()

    async def close(self) -> None:
        """As its operator would."""
        await self._begin(self._close())
        self.is_alive = False
        await self._end_tasks()

    def adopt(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task] = None
        task.add_done_callback(lambda _: self._tasks.pop(task, None))

    def _begin(self, work: Any) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    async def _open(self) -> None:
        config = service.config(self.name)
        options = {"sync": self._sync, "reserve": RESERVE, "compact_at": COMPACT_AT}
        config.journal = self._journal = open_journal(self._data, self.name, **options)
        self._journal.open()
        await config.open()

    async def _close(self) -> None:
        await service.config(self.name).close()
        await self._journal.close()

    async def _end_tasks(self) -> None:
        while self._tasks:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.sleep(0)


async def _answer(request: httpx.Request) -> httpx.Response:
    response = await _served.handle_async_request(request)
    body = b"".join([part async for part in response.stream])  # type: ignore[union-attr]
    return httpx.Response(response.status_code, headers=response.headers, content=body)


def task_of_its_process(
    loop: asyncio.AbstractEventLoop, work: Any, context: Any = None, **options: Any
) -> asyncio.Task[Any]:
    """A task factory."""
    task = asyncio.Task(work, loop=loop, context=context, **options)
    process = running.get() if context is None else context.get(running)
    if process is not None:
        process.adopt(task)
    return task
