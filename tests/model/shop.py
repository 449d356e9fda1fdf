"""The real shop, in this process and in virtual time, with plain calls to use it."""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from store import service
from store.asgi import application
from tests.contract import callers
from tests.contract.world import PASSWORD
from tests.simulation.timing import time_of
from tests.simulation.virtual import VirtualLoop

T = TypeVar("T")
Answer = tuple[int, str]
# More than the news of a change need to arrive.
A_MOMENT = 0.05


class RealShop:
    """Each call answers (status, machine word) and is over when its news have arrived."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self._open = ExitStack()
        patch = self._open.enter_context(time_of(self.loop))
        transport = httpx.ASGITransport(app=application)
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://shop", trust_env=False
        )
        # The services call each other through the same.
        patch.setattr("store.pool.pool.transport_to", lambda _: transport)
        self._wait(self._start())

    def close(self) -> None:
        self._wait(self._end())
        self.loop.close()
        self._open.close()

    def pass_time(self, seconds: float) -> float:
        """What time it is then."""
        self._wait(asyncio.sleep(seconds))
        return self.loop.now

    def call(self, verb: str, url: str, **options: Any) -> tuple[Answer, Any]:
        """The answer, and what it says."""
        answer = self._wait(self._client.request(verb, url, **options))
        data = answer.json() if answer.content else None
        self.pass_time(A_MOMENT)
        is_error = answer.status_code >= 400
        return (answer.status_code, data["code"] if is_error else ""), data

    def send(self, request: httpx.Request) -> httpx.Response:
        return self._wait(self._client.send(request))

    def get(self, url: str, headers: callers.Headers) -> Any:
        return self._wait(self._client.get(url, headers=headers)).json()

    def register(self, name: str) -> None:
        person = {"username": name, "full_name": name, "phone": "+7 999 000", "password": PASSWORD}
        assert self.call("POST", "/user-api/users/register", json=person)[0][0] == 201

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _start(self) -> None:
        for config in service.configs():
            config.journal = None
            await config.open()

    async def _end(self) -> None:
        for config in reversed(service.configs()):
            await config.close()
        await self._client.aclose()
