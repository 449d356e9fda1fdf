"""People, news and stores for the tests of accounts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.conf import settings

from accounts.domain import Applicant, OrderStatus, OrderUpdate
from accounts.journal import JournaledAccounts
from accounts.passwords import Passwords
from accounts.repositories import AccountRepository, MemoryAccounts
from deploy.cassandra.trial import Trial
from tests.node import SECONDS_TO_OPEN, emptied, kept_bridge, opened
from tests.reopening import Reopening

NOW = datetime(2026, 7, 25, 19, 0, tzinfo=UTC)
PASSWORD = "correct horse"


def applicant(username: str = "alice") -> Applicant:
    return Applicant(username, "Alice Liddell", "+7 (999) 000-00-00")


def update(
    version: int = 1,
    status: OrderStatus = OrderStatus.CREATED,
    *,
    order_id: UUID | None = None,
    user_id: str = "alice",
    total: str = "100.00",
) -> OrderUpdate:
    """A step of an order; later versions are later in time."""
    return OrderUpdate(
        order_id=order_id or uuid4(),
        user_id=user_id,
        status=status,
        updated_at=NOW + timedelta(seconds=version),
        total=Decimal(total),
        version=version,
    )


@pytest.fixture(scope="session")
def bridge(cassandra: Trial) -> Any:
    from accounts.cassandra.schema import ACCOUNTS

    return kept_bridge(cassandra, ACCOUNTS)


def shared_on(bridge: Any, **options: Any) -> Any:
    """What one instance has on Cassandra."""
    from accounts.cassandra.shared import Shared

    usual = {"claim_seconds": 30, "window": 300, "per_user": 2, "limit": 3}
    return Shared(bridge, **usual | options)


@pytest.fixture
async def shared(bridge: Any) -> AsyncIterator[Any]:
    """An instance on empty tables."""
    await emptied(bridge)
    instance = await opened(shared_on(bridge))
    yield instance
    await instance.close()


@pytest.fixture
async def other(shared: Any, bridge: Any) -> AsyncIterator[Any]:
    """A second instance on the same tables."""
    instance = await opened(shared_on(bridge))
    yield instance
    await instance.close()


@pytest.fixture
def in_memory() -> AccountRepository:
    return MemoryAccounts()


@pytest.fixture
async def in_journal(tmp_path: Path) -> AsyncIterator[Any]:
    async with Reopening(tmp_path, "accounts", JournaledAccounts, ()) as store:
        yield store


@pytest.fixture
async def reopened(tmp_path: Path) -> AsyncIterator[Any]:
    """Another process's after each change."""
    changes = {"confirm", "change", "record"}
    async with Reopening(tmp_path, "accounts", JournaledAccounts, changes) as store:
        yield store


@pytest.fixture
def on_cassandra(shared: Any) -> AccountRepository:
    found: AccountRepository = shared.repository
    return found


ON_CASSANDRA = pytest.param("on_cassandra", marks=pytest.mark.cassandra)


@pytest.fixture(params=["in_memory", "in_journal", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> AccountRepository:
    found: AccountRepository = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    hasher = Passwords(rounds=4, threads=2, queue=200, patience=60)
    yield hasher
    hasher.close()


# For modules whose tests hold wherever accounts has its state.
ON_BOTH = pytest.mark.parametrize(
    "kept",
    ["in memory", pytest.param("on cassandra", marks=pytest.mark.cassandra)],
    indirect=True,
)


@pytest.fixture
async def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where accounts has its state; in memory unless the test says otherwise."""
    if getattr(request, "param", "in memory") == "in memory":
        return
    bridge = request.getfixturevalue("bridge")
    await emptied(bridge)
    # As Django completes what stands there at its start.
    complete = {**bridge._database, "ATOMIC_REQUESTS": False}
    monkeypatch.setitem(settings.DATABASES, "accounts", complete)
    monkeypatch.setattr("store.cassandra.bridge.Bridge", lambda *_: bridge)


@pytest.fixture
async def shop(kept: None, shop: httpx.AsyncClient) -> httpx.AsyncClient:
    """The shop once accounts is ready."""
    async with asyncio.timeout(SECONDS_TO_OPEN):
        while (await shop.get("/user-api/ready")).is_error:
            await asyncio.sleep(0.01)
    return shop


class Visitor:
    """Somebody at accounts' door, by HTTP."""

    def __init__(self, shop: httpx.AsyncClient) -> None:
        self._shop = shop

    async def register(self, username: str = "alice", **fields: object) -> httpx.Response:
        return await self.send({"username": username, **fields})

    async def send(self, fields: Mapping[str, object]) -> httpx.Response:
        """Registers with all fields right but these."""
        body = {
            "username": "alice",
            "full_name": "Alice Liddell",
            "phone": "+7 (999) 000-00-00",
            "password": PASSWORD,
        }
        return await self._shop.post("/user-api/users/register", json=body | dict(fields))

    async def log_in(self, username: str = "alice", password: str = PASSWORD) -> httpx.Response:
        form = {"username": username, "password": password}
        return await self._shop.post("/user-api/token", data=form)


@pytest.fixture
def visitor(shop: httpx.AsyncClient) -> Visitor:
    return Visitor(shop)


@pytest.fixture
async def alice(visitor: Visitor) -> dict[str, str]:
    """The headers of a registered user."""
    answer = await visitor.register("alice")
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
