"""Where people and the news of their orders are kept: the interface and the memory store."""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from accounts.domain import (
    FINAL,
    Applicant,
    OrderRecord,
    OrderUpdate,
    User,
    UsernameTaken,
    follow,
    user_id,
)
from store.money import ZERO

UPDATES_KEPT = 100


class AccountRepository(Protocol):
    """Usernames are unique without case. Every method is applied whole or not at all."""

    async def claim(self, username: str) -> None:
        """Holds the name while its password is hashed. Raises UsernameTaken."""

    async def confirm(self, applicant: Applicant, password_hash: str, *, now: datetime) -> User:
        """Makes the holder of a claimed name a user, with the next id."""

    async def abandon(self, username: str) -> None:
        """Frees a claimed name that did not become a user."""

    async def get(self, username: str) -> User | None:
        """By the exact name: what tokens and orders carry."""

    async def find(self, name: str) -> User | None:
        """By a name as people type it, in any case."""

    async def change(
        self, username: str, *, full_name: str | None, phone: str | None
    ) -> User | None:
        """None leaves a field as it is. The user as it is now; None for an unknown one."""

    async def page(self, *, after: str = "", limit: int = 100) -> Sequence[User]:
        """Users in the order of their ids, which follow ``after``; fewer only at the end."""

    async def record(self, update: OrderUpdate, *, now: datetime) -> bool:
        """Applies a step of an order once; False if it or a newer one was applied before.

        News of people who are not registered (yet) are kept too.
        """

    async def record_all(self, updates: Sequence[OrderUpdate], *, now: datetime) -> Sequence[bool]:
        """The same for many, in their order."""

    async def orders(self, order_ids: Sequence[UUID]) -> Mapping[UUID, OrderRecord]:
        """What is remembered of these orders; without those never heard of."""

    async def updates(self, username: str) -> Sequence[OrderUpdate]:
        """The last 100 steps applied, in the order of their arrival."""


@dataclass(slots=True)
class _News:
    """What the orders of one person came to."""

    spent: Decimal = ZERO
    updates: deque[OrderUpdate] = field(default_factory=lambda: deque(maxlen=UPDATES_KEPT))


class MemoryAccounts:
    """Plain dicts; no method awaits, so each is atomic on the event loop.

    An order that reached its end is remembered for ``forget_after``: long enough for any
    repetition of its last step, which would otherwise count it a second time.
    """

    def __init__(
        self,
        *,
        forget_after: timedelta = timedelta(days=7),
        ended_orders: int = 1_000_000,
        strangers: int = 10_000,
    ) -> None:
        self._forget_after = forget_after
        self._ended_limit = ended_orders
        self._strangers_limit = strangers
        self._users: dict[str, User] = {}
        self._ids: list[str] = []
        self._claimed: set[str] = set()
        self._orders: dict[UUID, OrderRecord] = {}
        self._ended: OrderedDict[UUID, datetime] = OrderedDict()
        self._news: dict[str, _News] = {}
        self._strangers: OrderedDict[str, _News] = OrderedDict()

    async def claim(self, username: str) -> None:
        key = username.casefold()
        if key in self._users or key in self._claimed:
            raise UsernameTaken(errors={"username": [UsernameTaken.detail]})
        self._claimed.add(key)

    async def confirm(self, applicant: Applicant, password_hash: str, *, now: datetime) -> User:
        key = applicant.username.casefold()
        self._claimed.remove(key)
        news = self._strangers.pop(applicant.username, None)
        user = User(
            username=applicant.username,
            full_name=applicant.full_name,
            phone=applicant.phone,
            id=user_id(len(self._ids) + 1),
            created_at=now,
            is_admin=applicant.is_admin,
            password_hash=password_hash,
            total_spent=news.spent if news else ZERO,
        )
        if news is not None:
            self._news[user.username] = news
        self._users[key] = user
        self._ids.append(key)
        return user

    async def abandon(self, username: str) -> None:
        self._claimed.discard(username.casefold())

    async def get(self, username: str) -> User | None:
        return self._exact(username)

    async def find(self, name: str) -> User | None:
        return self._users.get(name.casefold())

    async def change(
        self, username: str, *, full_name: str | None, phone: str | None
    ) -> User | None:
        user = self._exact(username)
        if user is None:
            return None
        changed = replace(
            user,
            full_name=user.full_name if full_name is None else full_name,
            phone=user.phone if phone is None else phone,
        )
        self._users[username.casefold()] = changed
        return changed

    async def page(self, *, after: str = "", limit: int = 100) -> Sequence[User]:
        start = int(after or 0)
        return [self._users[key] for key in self._ids[start : start + limit]]

    async def record(self, update: OrderUpdate, *, now: datetime) -> bool:
        before = self._orders.get(update.order_id)
        after = follow(before, update)
        if after is None:
            return False
        self._orders[update.order_id] = after
        news = self._news_of(update.user_id)
        news.spent += after.counted - (before.counted if before else ZERO)
        news.updates.append(update)
        self._show_total(update.user_id, news.spent)
        if update.status in FINAL:
            self._ended.setdefault(update.order_id, now)
        self._forget(now)
        return True

    async def record_all(self, updates: Sequence[OrderUpdate], *, now: datetime) -> Sequence[bool]:
        return [await self.record(update, now=now) for update in updates]

    async def orders(self, order_ids: Sequence[UUID]) -> Mapping[UUID, OrderRecord]:
        return {each: self._orders[each] for each in order_ids if each in self._orders}

    async def updates(self, username: str) -> Sequence[OrderUpdate]:
        news = self._known_news(username)
        return list(news.updates) if news else []

    def _exact(self, username: str) -> User | None:
        user = self._users.get(username.casefold())
        return user if user is not None and user.username == username else None

    def _known_news(self, username: str) -> _News | None:
        return self._news.get(username) or self._strangers.get(username)

    def _news_of(self, username: str) -> _News:
        """The strangers heard of longest ago make room for new ones."""
        if username in self._news or self._exact(username):
            return self._news.setdefault(username, _News())
        news = self._strangers.setdefault(username, _News())
        self._strangers.move_to_end(username)
        if len(self._strangers) > self._strangers_limit:
            self._strangers.popitem(last=False)
        return news

    def _show_total(self, username: str, spent: Decimal) -> None:
        user = self._exact(username)
        if user is not None:
            self._users[username.casefold()] = replace(user, total_spent=spent)

    def _forget(self, now: datetime) -> None:
        while self._ended:
            order_id, ended_at = next(iter(self._ended.items()))
            if len(self._ended) <= self._ended_limit and now - ended_at < self._forget_after:
                return
            del self._ended[order_id]
            del self._orders[order_id]
