"""Accounts on Cassandra, behind the same promise as the store in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from accounts.cassandra.news import News
from accounts.cassandra.people import People
from accounts.cassandra.rows import Row, user_of
from accounts.domain import Applicant, OrderRecord, OrderUpdate, User
from store.cassandra.bridge import Bridge
from store.money import ZERO


class CassandraAccounts:
    """Every call raises StoreAway while Cassandra is away."""

    def __init__(self, bridge: Bridge, news: News, *, claim_seconds: int) -> None:
        self._people = People(bridge, claim_seconds=claim_seconds)
        self._news = news

    async def claim(self, username: str) -> None:
        await self._people.claim(username)

    async def confirm(self, applicant: Applicant, password_hash: str, *, now: datetime) -> User:
        # First: what is heard of a user must not end like what is heard of a stranger.
        spent = await self._news.register(applicant.username)
        row = await self._people.confirm(applicant, password_hash, now=now)
        return user_of(row, spent=spent)

    async def abandon(self, username: str) -> None:
        await self._people.abandon(username)

    async def get(self, username: str) -> User | None:
        row, spent = await asyncio.gather(self._people.find(username), self._news.spent([username]))
        if row is None or row[2] != username:
            return None
        return user_of(row, spent=spent.get(username, ZERO))

    async def find(self, name: str) -> User | None:
        row = await self._people.find(name)
        return (await self._users([row]))[0] if row is not None else None

    async def change(
        self, username: str, *, full_name: str | None, phone: str | None
    ) -> User | None:
        if not await self._people.change(username, full_name, phone):
            return None
        return await self.get(username)

    async def page(self, *, after: str = "", limit: int = 100) -> Sequence[User]:
        return await self._users(await self._people.page(after=int(after or 0), limit=limit))

    async def record(self, update: OrderUpdate, *, now: datetime) -> bool:
        return await self._news.record(update)

    async def record_all(self, updates: Sequence[OrderUpdate], *, now: datetime) -> Sequence[bool]:
        """Steps of one person go together; where one fails, others may be recorded."""
        return await asyncio.gather(*(self._news.record(update) for update in updates))

    async def orders(self, order_ids: Sequence[UUID]) -> Mapping[UUID, OrderRecord]:
        return await self._news.orders(order_ids)

    async def updates(self, username: str) -> Sequence[OrderUpdate]:
        return [update for _, update in await self._news.steps(username)]

    async def _users(self, rows: Sequence[Row]) -> list[User]:
        spent = await self._news.spent([row[2] for row in rows])
        return [user_of(row, spent=spent.get(row[2], ZERO)) for row in rows]
