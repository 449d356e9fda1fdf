"""Instances of orders as real processes, between a catalog and an accounts service of the test."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiohttp import web

from deploy.local.layout import PROJECT
from deploy.local.ports import free_ports
from store import tokens
from tests.orders.peers import FakeAccounts, FakeCatalog, FakeService, Product
from tests.orders.world import PRICE

PIECES = 1_000_000
SECONDS_TO_START = 60


@dataclass
class Heard:
    """One piece of news, and how many seconds after its moment it came."""

    order_id: UUID
    version: int
    status: str
    late: float


class Listening(FakeAccounts):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Heard] = []

    async def serve(self, request: httpx.Request) -> httpx.Response:
        before = len(self.news)
        answer = await super().serve(request)
        now = datetime.now(UTC)
        for news in self.news[before:]:
            late = (now - datetime.fromisoformat(news["updated_at"])).total_seconds()
            heard = UUID(news["order_id"]), news["version"], news["status"], late
            self.heard.append(Heard(*heard))
        return answer

    def story(self, order_id: UUID) -> list[str]:
        """The statuses by version; the same piece of news may have come more than once."""
        told = {each.version: each.status for each in self.heard if each.order_id == order_id}
        return [told[version] for version in sorted(told)]


@dataclass
class Town:
    """What stands around the instances, and the instances themselves by their port."""

    catalog: FakeCatalog
    accounts: Listening
    environment: dict[str, str]
    folder: Path
    running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    placed: list[UUID] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    async def start(self, port: int) -> None:
        """Returns when it is ready."""
        command = ["-m", "uvicorn", "store.asgi:application", "--port", str(port)]
        with (self.folder / f"{port}.log").open("ab") as log:
            self.running[port] = await asyncio.create_subprocess_exec(
                *(sys.executable, *command),
                cwd=PROJECT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(SECONDS_TO_START), httpx.AsyncClient() as client:
            while not await _is_ready(client, port):
                await asyncio.sleep(0.1)

    async def end(self, port: int, stop: Callable[[asyncio.subprocess.Process], None]) -> None:
        process = self.running.pop(port)
        stop(process)
        await process.wait()

    async def place(self, client: httpx.AsyncClient, user_id: str) -> UUID:
        """Asks one after the other until there is a definite answer."""
        order_id = uuid4()
        (product_id,) = self.catalog.products
        body = {
            "id": str(order_id),
            "valid_until": (datetime.now(UTC) + timedelta(seconds=60)).isoformat(),
            "items": [{"product_id": str(product_id), "quantity": 1, "price": float(PRICE)}],
            "total": float(PRICE),
        }
        token = tokens.service_token("carts", "orders")
        headers = {"Authorization": f"Bearer {token}", "X-User-ID": user_id}
        async with asyncio.timeout(60):
            while True:
                for port in list(self.running):
                    answer = await _answer(client, port, body, headers)
                    self.answers[answer] += 1
                    if answer in ("200", "201"):
                        self.placed.append(order_id)
                        return order_id
                await asyncio.sleep(0.05)

    async def until_all_are(self, status: str, *, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while any(status not in self.accounts.story(each) for each in self.placed):
            assert time.monotonic() < ends_at, "some orders were lost"
            await asyncio.sleep(0.2)


@asynccontextmanager
async def town(folder: Path, **environment: str) -> AsyncIterator[Town]:
    catalog, accounts = FakeCatalog(), Listening()
    catalog.products[uuid4()] = Product(PRICE, stock=PIECES)
    async with _served(catalog) as catalog_url, _served(accounts) as accounts_url:
        addresses = {"BACKEND_URL": catalog_url, "USER_SERVICE_URL": accounts_url}
        own = {"DJANGO_SETTINGS_MODULE": "store.settings.orders", "STORE": "cassandra"}
        here = Town(catalog, accounts, environment | addresses | own, folder)
        try:
            yield here
        finally:
            for port in list(here.running):
                await here.end(port, lambda process: process.kill())


def ports(count: int) -> list[int]:
    return free_ports(count)


@asynccontextmanager
async def _served(service: FakeService) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        url, body = f"http://service{request.path_qs}", await request.read()
        answered = await service(httpx.Request(request.method, url, content=body))
        return web.Response(
            status=answered.status_code, body=answered.content, content_type="application/json"
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        answer = await client.get(f"http://127.0.0.1:{port}/ready", timeout=2)
    except httpx.TransportError:
        return False
    return answer.status_code == 200


async def _answer(
    client: httpx.AsyncClient, port: int, body: dict[str, Any], headers: dict[str, str]
) -> str:
    """The status, of an error its code, or what happened instead."""
    try:
        url = f"http://127.0.0.1:{port}/orders/"
        answer = await client.post(url, json=body, headers=headers, timeout=5)
    except httpx.TransportError as error:
        return type(error).__name__
    assert answer.status_code in (200, 201, 503), answer.text
    return f"{answer.status_code} {answer.json().get('code', '')}".strip()
