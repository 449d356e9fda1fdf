"""People who come at their own pace, however the shop is doing: an open model, in a process of
its own.

``python -m tests.chaos.crowd`` reads what to do as JSON from its standard input and writes what
became of it to its standard output. Requests are made beforehand and answers only looked at as
far as they have to be, so that the crowd takes little of the machine from the shop.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

import uvloop

TICK_SECONDS = 0.01
SECONDS_TO_ANSWER = 15.0
MOST_CONNECTIONS = 3000
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Wave:
    """Each request is the next of ``requests``: so many a second, or one after the other by
    ``at_once`` people, which is how a peak is found."""

    port: int
    requests: Sequence[str]
    seconds: float
    per_second: float = 0.0
    at_once: int = 0


@dataclass
class Outcome:
    """``statuses``: 0 where no answer came. Times are those of each status, in seconds, sorted."""

    statuses: dict[int, int] = field(default_factory=dict)
    times: dict[int, list[float]] = field(default_factory=dict)

    def count(self, status: int) -> int:
        return self.statuses.get(status, 0)

    def percentile(self, status: int, share: float) -> float:
        times = self.times.get(status, [0.0])
        return times[min(len(times) - 1, int(len(times) * share))]


async def send(wave: Wave) -> Outcome:
    """From another process."""
    command = [sys.executable, "-m", "tests.chaos.crowd"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes)
    said, _ = await process.communicate(json.dumps(asdict(wave)).encode())
    kept = json.loads(said)
    return Outcome(*({int(key): value for key, value in kept[name].items()} for name in kept))


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def ask(self, request: bytes) -> int:
        """The answer's status; 0 when there is none."""
        self._answer = asyncio.get_running_loop().create_future()
        self._received = b""
        if self._transport.is_closing():
            return 0
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if end and length and len(body) >= int(length[1]):
            self._done(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self._done(0)

    def _done(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def close(self) -> None:
        self._transport.abort()


class _Crowd:
    def __init__(self, wave: Wave) -> None:
        self._wave = wave
        self._requests = cycle([each.encode() for each in wave.requests])
        self._idle: list[_Connection] = []
        self._open = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._outcome = Outcome()
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()

    async def come(self) -> Outcome:
        await asyncio.gather(*(self._insists() for _ in range(self._wave.at_once)))
        if self._wave.per_second:
            await self._arrive()
        for times in self._outcome.times.values():
            times.sort()
        return self._outcome

    async def _insists(self) -> None:
        while self._loop.time() - self._began_at < self._wave.seconds:
            await self._ask(next(self._requests))

    async def _arrive(self) -> None:
        sent = 0
        while (passed := self._loop.time() - self._began_at) < self._wave.seconds:
            due = int(passed * self._wave.per_second)
            for _ in range(due - sent):
                task = asyncio.create_task(self._ask(next(self._requests)))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            sent = due
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.gather(*self._asking)

    async def _ask(self, request: bytes) -> None:
        began_at, status = self._loop.time(), 0
        connection = await self._connection()
        if connection is not None:
            try:
                async with asyncio.timeout(SECONDS_TO_ANSWER):
                    status = await connection.ask(request)
            except TimeoutError:
                status = 0
            self._put_down(connection, is_sound=status != 0)
        self._outcome.statuses[status] = self._outcome.statuses.get(status, 0) + 1
        self._outcome.times.setdefault(status, []).append(self._loop.time() - began_at)

    async def _connection(self) -> _Connection | None:
        if self._idle:
            return self._idle.pop()
        if self._open >= MOST_CONNECTIONS:
            return None
        self._open += 1
        try:
            _, made = await self._loop.create_connection(_Connection, "127.0.0.1", self._wave.port)
        except OSError:
            self._open -= 1
            return None
        return made

    def _put_down(self, connection: _Connection, *, is_sound: bool) -> None:
        if is_sound:
            self._idle.append(connection)
        else:
            self._open -= 1
            connection.close()


async def _main() -> None:
    outcome = await _Crowd(Wave(**json.load(sys.stdin))).come()
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
