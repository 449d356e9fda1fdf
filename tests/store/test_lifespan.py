"""Start and end of a process, as the server tells them."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from store import lifespan, service
from store.asgi import application
from store.pool import pool


class FakeService:
    """Writes down what it was asked to do; may fail at one of it."""

    def __init__(self, name: str, story: list[str], *, fails_at: str = "") -> None:
        self._name = name
        self._story = story
        self._fails_at = fails_at
        self.drained = asyncio.Event()

    async def open(self) -> None:
        self._tell("open")

    async def close(self) -> None:
        self._tell("close")

    def begin_drain(self) -> None:
        self._tell("drain")
        self.drained.set()

    def unready(self) -> str | None:
        return None

    def _tell(self, what: str) -> None:
        self._story.append(f"{self._name} {what}")
        if what == self._fails_at:
            raise RuntimeError(f"{self._name} cannot {what}")


class Server:
    """Speaks the lifespan protocol to the application."""

    def __init__(self) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.task = asyncio.create_task(
            application({"type": "lifespan"}, self._to_app.get, self._from_app.put)
        )

    async def says(self, word: str) -> dict[str, Any]:
        await self._to_app.put({"type": f"lifespan.{word}"})
        return await self._from_app.get()


@pytest.fixture
def story() -> list[str]:
    return []


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, story: list[str]) -> Iterator[dict[str, FakeService]]:
    services = {name: FakeService(name, story) for name in ("catalog", "carts")}
    monkeypatch.setattr(service, "configs", lambda: list(services.values()))
    monkeypatch.setattr(service, "config", services.__getitem__)
    monkeypatch.setattr(service, "state", service.State())
    before = signal.getsignal(signal.SIGTERM)
    yield services
    signal.signal(signal.SIGTERM, before)


async def test_services_open_in_order_and_close_in_reverse(
    services: dict[str, FakeService], story: list[str]
) -> None:
    server = Server()

    assert await server.says("startup") == {"type": "lifespan.startup.complete"}
    assert service.state.is_open
    assert await server.says("shutdown") == {"type": "lifespan.shutdown.complete"}

    await server.task
    opened, drained = ["catalog open", "carts open"], ["catalog drain", "carts drain"]
    assert story == [*opened, *drained, "carts close", "catalog close"]
    assert not service.state.is_open


async def test_a_start_that_fails_is_reported_with_its_reason(
    services: dict[str, FakeService], story: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    services["carts"] = FakeService("carts", story, fails_at="open")

    answer = await Server().says("startup")

    assert answer == {"type": "lifespan.startup.failed", "message": "carts cannot open"}
    assert "The start failed" in caplog.text
    assert not service.state.is_open
    await pool.close()


async def test_an_end_that_fails_is_reported_and_logged(
    services: dict[str, FakeService], story: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    services["carts"] = FakeService("carts", story, fails_at="close")
    server = Server()
    await server.says("startup")

    answer = await server.says("shutdown")

    assert answer == {"type": "lifespan.shutdown.failed", "message": "carts cannot close"}
    assert "The end failed" in caplog.text
    with pytest.raises(RuntimeError, match="not open"):
        pool.transport_to("http://127.0.0.1:1")


async def test_the_http_pool_is_open_as_long_as_the_process(
    services: dict[str, FakeService],
) -> None:
    server = Server()
    await server.says("startup")
    assert isinstance(pool.transport_to("http://127.0.0.1:1"), httpx.AsyncBaseTransport)

    await server.says("shutdown")

    with pytest.raises(RuntimeError, match="not open"):
        pool.transport_to("http://127.0.0.1:1")


async def test_what_a_process_starts_with_is_no_garbage(
    services: dict[str, FakeService],
) -> None:
    gc.unfreeze()
    server = Server()

    await server.says("startup")

    assert gc.get_freeze_count() > 0
    await server.says("shutdown")


async def test_draining_turns_readiness_off_while_the_service_lives(
    services: dict[str, FakeService], client: httpx.AsyncClient
) -> None:
    await lifespan.startup()
    assert (await client.get("/ready")).status_code == 200

    lifespan.begin_drain()

    assert (await client.get("/ready")).status_code == 503
    assert (await client.get("/health")).status_code == 200
    await lifespan.shutdown()


async def test_draining_begins_once(services: dict[str, FakeService], story: list[str]) -> None:
    await lifespan.startup()

    lifespan.begin_drain()
    await lifespan.shutdown()

    assert story.count("catalog drain") == 1


async def test_sigterm_begins_to_drain_before_the_server_ends_the_lifespan(
    services: dict[str, FakeService],
) -> None:
    seen: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    await lifespan.startup()

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(services["catalog"].drained.wait(), 5)

    assert seen == [signal.SIGTERM]
    assert service.state.why_unready("catalog") == "The service is stopping."
    await lifespan.shutdown()


async def test_a_service_that_opens_again_is_ready_again(
    services: dict[str, FakeService],
) -> None:
    await lifespan.startup()
    await lifespan.shutdown()

    await lifespan.startup()

    assert service.state.why_unready("catalog") is None
    await lifespan.shutdown()


async def test_demo_mode_warns_at_every_start(
    services: dict[str, FakeService], settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEMO = True
    await lifespan.startup()
    await lifespan.shutdown()

    assert "Demo mode" in caplog.text
