"""The wires between people and services, which lose, repeat, delay and reorder what they carry."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from tests.simulation.processes import Process, running

SERVICES = {"api": "catalog", "cart-api": "carts", "order-api": "orders", "user-api": "accounts"}
NEWS = "/user-api/users/notify/order-status"
MUCH_NEWS = "/user-api/users/notify/order-statuses"
LONGER_THAN_ANYONE_WAITS = 3600.0
MAY_FAIL = {502, 503, 504}


@dataclass
class Weather:
    """How likely each mishap is for one message; ``pause`` is the usual delay in seconds."""

    lost: float = 0.0
    answer_lost: float = 0.0
    reset: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    pause: float = 0.01


FAIR = Weather()


class Network(httpx.AsyncBaseTransport):
    """``story`` has a line for each message; ``news`` what accounts was told, by order."""

    def __init__(self, dice: random.Random, processes: Mapping[str, Process]) -> None:
        self.weather = FAIR
        self.cut: set[str] = set()
        self.story: list[str] = []
        self.mishaps: Counter[str] = Counter()
        self.news: dict[str, dict[int, str]] = {}
        self.breaches: list[str] = []
        self._dice = dice
        self._processes = processes
        self._doubles: dict[asyncio.Task[None], None] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        callee = SERVICES[request.url.path.split("/")[1]]
        caller = running.get()
        await request.aread()  # it comes as a stream
        self._listen(request)
        try:
            response = await self._carried(request, callee, is_repeatable=_is_repeatable(request))
        except httpx.HTTPError as error:
            self._tell(caller, request, type(error).__name__)
            raise
        self._tell(caller, request, str(response.status_code))
        return response

    async def end(self) -> None:
        """What is still under way arrives nowhere."""
        for task in list(self._doubles):
            task.cancel()
        await asyncio.gather(*self._doubles, return_exceptions=True)

    async def _carried(
        self, request: httpx.Request, callee: str, *, is_repeatable: bool
    ) -> httpx.Response:
        weather = self.weather
        if is_repeatable and self._happens("doubled", weather.doubled):
            self._send_again(request, callee)
        await self._pause(weather)
        if callee in self.cut or self._happens("lost", weather.lost):
            await asyncio.sleep(LONGER_THAN_ANYONE_WAITS)
        response = await self._delivered(request, callee)
        await self._pause(weather)
        if self._happens("reset", weather.reset):
            raise httpx.ReadError("reset")
        if self._happens("answer lost", weather.answer_lost):
            await asyncio.sleep(LONGER_THAN_ANYONE_WAITS)
        return response

    async def _delivered(self, request: httpx.Request, callee: str) -> httpx.Response:
        process = self._processes[callee]
        if not process.is_alive:
            raise httpx.ConnectError("refused")
        response = await process.serve(request)
        said = f"{request.method} {request.url.path}: {response.status_code}"
        if response.status_code >= 500 and response.status_code not in MAY_FAIL:
            self.breaches.append(said)
        if b"Traceback" in response.content:
            self.breaches.append(f"{said} with a traceback")
        return response

    def _send_again(self, request: httpx.Request, callee: str) -> None:
        """Once more, whenever that may be; nobody hears the answer."""
        loop = asyncio.get_running_loop()
        again = self._once_more(request, callee, after=self._dice.expovariate(1.0))
        task = loop.create_task(again, context=Context())
        self._doubles[task] = None
        task.add_done_callback(lambda _: self._doubles.pop(task, None))

    async def _once_more(self, request: httpx.Request, callee: str, *, after: float) -> None:
        await asyncio.sleep(after)
        try:
            await self._delivered(request, callee)
        except httpx.HTTPError:
            return

    async def _pause(self, weather: Weather) -> None:
        """A late message comes after others that were sent later."""
        is_late = self._happens("late", weather.late)
        await asyncio.sleep(self._dice.expovariate(1.0 if is_late else 1.0 / weather.pause))

    def _happens(self, mishap: str, odds: float) -> bool:
        happens = self._dice.random() < odds
        self.mishaps[mishap] += happens
        return happens

    def _listen(self, request: httpx.Request) -> None:
        for said in _news_in(request):
            told = self.news.setdefault(said["order_id"], {})
            if told.setdefault(said["version"], said["status"]) != said["status"]:
                self.breaches.append(f"{said['order_id']} has two versions {said['version']}")

    def _tell(self, caller: Process | None, request: httpx.Request, outcome: str) -> None:
        now = asyncio.get_running_loop().time()
        name = caller.name if caller else "people"
        self.story.append(f"{now:.6f} {name} {request.method} {request.url.path} {outcome}")


def _news_in(request: httpx.Request) -> list[dict[str, Any]]:
    if request.url.path == NEWS:
        return [orjson.loads(request.content)]
    return orjson.loads(request.content)["updates"] if request.url.path == MUCH_NEWS else []


def _is_repeatable(request: httpx.Request) -> bool:
    """Whatever one service asks of another is, and what has a key."""
    return running.get() is not None or "Idempotency-Key" in request.headers


def client_of(network: Network, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=network, base_url="http://shop", timeout=None, trust_env=False, **options
    )
