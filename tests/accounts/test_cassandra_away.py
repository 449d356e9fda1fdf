"""Accounts while Cassandra is away, and when it is back; and the demo users there."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from django.conf import settings

from deploy.cassandra.trial import Trial
from store import lifespan
from store.asgi import application
from tests.accounts.conftest import PASSWORD, Visitor
from tests.node import database, emptied

pytestmark = pytest.mark.cassandra

SECONDS = 30


@asynccontextmanager
async def running() -> AsyncIterator[httpx.AsyncClient]:
    await lifespan.startup()
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40000))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            yield client
    finally:
        await lifespan.shutdown()


@pytest.fixture
async def on_its_own(
    cassandra: Trial, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A shop that dials for itself."""
    await emptied(bridge)
    complete = {**database(cassandra), "ATOMIC_REQUESTS": False}
    monkeypatch.setitem(settings.DATABASES, "accounts", complete)
    async with running() as client:
        yield client


async def until(shop: httpx.AsyncClient, status: int) -> httpx.Response:
    """The answer of /ready once it has this status."""
    async with asyncio.timeout(SECONDS):
        while (answer := await shop.get("/user-api/ready")).status_code != status:
            await asyncio.sleep(0.05)
    return answer


async def test_requests_are_refused_while_it_is_away_and_served_when_it_is_back(
    on_its_own: httpx.AsyncClient, cassandra: Trial
) -> None:
    visitor = Visitor(on_its_own)
    await until(on_its_own, 200)
    alice = await visitor.register("alice")
    headers = {"Authorization": f"Bearer {alice.json()['access_token']}"}
    cassandra.signal(signal.SIGSTOP)
    try:
        answers = [
            await on_its_own.get("/user-api/users/me", headers=headers),
            await visitor.register("bob"),
            await visitor.log_in("alice"),
        ]
        unready = await until(on_its_own, 503)
        health = await on_its_own.get("/user-api/health")
    finally:
        cassandra.signal(signal.SIGCONT)
    await until(on_its_own, 200)

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.json()["code"] for answer in answers} == {"store_unavailable"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert "database" in unready.json()["detail"]
    assert health.status_code == 200
    assert (await visitor.log_in("alice")).status_code == 200


async def test_the_demo_users_are_made_once_whoever_starts(
    demo: None, on_its_own: httpx.AsyncClient
) -> None:
    visitor = Visitor(on_its_own)
    await until(on_its_own, 200)
    before = await visitor.log_in("swagger_user", "password123")
    await lifespan.shutdown()
    await lifespan.startup()
    await until(on_its_own, 200)

    after = await visitor.log_in("swagger_admin", "admin123")

    assert (before.status_code, after.status_code) == (200, 200)
    assert (await visitor.register("swagger_user", password=PASSWORD)).status_code == 400
