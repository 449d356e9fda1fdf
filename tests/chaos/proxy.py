"""A proxy between two services that breaks what passes through it, message by message."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
SECONDS_TO_ANSWER = 60


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Passing:
    """One request on its way to ``callee``."""

    callee: str
    method: str
    path: str
    body: bytes
    request: web.Request
    forward: Callable[[], Awaitable[Answer]]

    def break_off(self) -> web.Response:
        """The caller sees its connection reset."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response(status=502)


Rule = Callable[[Passing], Awaitable[Answer | web.StreamResponse]]


async def as_it_is(passing: Passing) -> Answer:
    return await passing.forward()


class FaultProxy:
    """A door of its own for each service, in a thread of its own; ``rule`` says what happens."""

    def __init__(self, doors: dict[str, int], targets: dict[str, str]) -> None:
        """``doors``: ports by service; ``targets``: where each service really is."""
        self.rule: Rule = as_it_is
        self.passed = 0
        self._doors, self._targets = doors, targets
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def heal(self) -> None:
        self.rule = as_it_is

    async def _open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=SECONDS_TO_ANSWER)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=20)
        self._client = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        )
        self._runners = []
        for name, port in self._doors.items():
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.router.add_route("*", "/{path:.*}", self._door(name))
            runner = web.AppRunner(app, access_log=None, keepalive_timeout=75, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self._runners.append(runner)

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _door(self, callee: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            self.passed += 1
            passing = Passing(
                callee,
                request.method,
                request.path_qs,
                body,
                request,
                forward=lambda: self._forwarded(callee, request, body),
            )
            try:
                answer = await self.rule(passing)
            except aiohttp.ClientError:
                return passing.break_off()
            if isinstance(answer, web.StreamResponse):
                return answer
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

        return handle

    async def _forwarded(self, callee: str, request: web.Request, body: bytes) -> Answer:
        headers: Any = {
            name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
        }
        url = self._targets[callee] + request.path_qs
        async with self._client.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in HOP_BY_HOP
            }
            return Answer(answer.status, kept, await answer.read())


async def written_slowly(passing: Passing, answer: Answer, *, bytes_per_second: int) -> Any:
    """The answer in small pieces, at the pace of a bad line."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    with suppress(ConnectionResetError):
        await response.prepare(passing.request)
        piece = max(1, bytes_per_second // 50)
        for start in range(0, len(answer.body), piece):
            await response.write(answer.body[start : start + piece])
            await asyncio.sleep(piece / bytes_per_second)
        await response.write_eof()
    return response
