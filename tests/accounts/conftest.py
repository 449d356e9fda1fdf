"""People, news and stores for the tests of accounts."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from accounts.domain import Applicant, OrderStatus, OrderUpdate
from accounts.journal import JournaledAccounts
from accounts.passwords import Passwords
from accounts.repositories import AccountRepository, MemoryAccounts
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


@asynccontextmanager
async def kept(kind: str, data: Path) -> AsyncIterator[AccountRepository]:
    """``reopened`` is another process's after each change."""
    if kind == "memory":
        yield MemoryAccounts()
        return
    changes = {"confirm", "change", "record"} if kind == "reopened" else set()
    async with Reopening(data, "accounts", JournaledAccounts, changes) as store:
        yield store


@pytest.fixture(params=["memory", "journal"])
async def repository(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AccountRepository]:
    async with kept(request.param, tmp_path) as store:
        yield store


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    hasher = Passwords(rounds=4, threads=2, queue=200, patience=60)
    yield hasher
    hasher.close()


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
