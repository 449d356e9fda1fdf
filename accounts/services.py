"""What accounts does: registers people, lets them in, follows their orders, shows it all."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import compress
from typing import Any, TypeVar
from uuid import UUID

from accounts import metrics
from accounts.clients import CartsClient, OrdersClient, OrderSummary
from accounts.domain import (
    Applicant,
    Busy,
    OrderRecord,
    OrderUpdate,
    TooManyGuesses,
    TooManyStreams,
    UnknownPerson,
    User,
    WrongCredentials,
    after_event,
    becomes_admin,
    newest_first,
)
from accounts.metrics import LoginOutcome
from accounts.passwords import Passwords
from accounts.repositories import AccountRepository
from accounts.streams import Streams
from accounts.throttling import GuessLimits
from store.errors import ShopError, Unavailable
from store.http import Answer
from store.money import ZERO

T = TypeVar("T")
Updates = AsyncGenerator[OrderUpdate | None, None]


class People:
    """Registration, login, and what people say of themselves."""

    def __init__(
        self,
        repository: AccountRepository,
        *,
        passwords: Passwords,
        guesses: GuessLimits,
        now: Callable[[], datetime],
        demo: bool,
    ) -> None:
        self._repository = repository
        self._passwords = passwords
        self._guesses = guesses
        self._now = now
        self._demo = demo

    async def register(self, applicant: Applicant, password: str, *, by_admin: bool) -> User:
        """Raises UsernameTaken, UsernameReserved, AdminsOnly, Busy."""
        role = becomes_admin(
            applicant.username, is_admin=applicant.is_admin, by_admin=by_admin, demo=self._demo
        )
        user = await self.add(replace(applicant, is_admin=role), password)
        metrics.USERS_REGISTERED.inc()
        return user

    async def add(self, applicant: Applicant, password: str) -> User:
        """A user, no questions asked. The name is claimed before the hash, which takes long."""
        await self._repository.claim(applicant.username)
        try:
            password_hash = await self._passwords.hash(password)
            return await self._repository.confirm(applicant, password_hash, now=self._now())
        except BaseException:
            await self._repository.abandon(applicant.username)
            raise

    async def login(self, username: str, password: str, *, address: str) -> User:
        """The user with this name, in any case. Raises WrongCredentials, TooManyGuesses, Busy."""
        try:
            async with self._guesses.one_guess(username, address):
                user = await self._with_password(username, password)
        except (WrongCredentials, TooManyGuesses, Busy) as error:
            metrics.LOGINS.labels(_outcome(error)).inc()
            raise
        metrics.LOGINS.labels(LoginOutcome.OK).inc()
        return user

    async def known(self, username: str | None) -> User:
        """The user a token speaks of. Raises UnknownPerson."""
        user = await self._repository.get(username or "")
        if user is None:
            raise UnknownPerson
        return user

    async def change(self, username: str | None, **fields: str) -> User:
        """Sets ``full_name`` and ``phone``, where given. Raises UnknownPerson."""
        user = await self._repository.change(
            username or "", full_name=fields.get("full_name"), phone=fields.get("phone")
        )
        if user is None:
            raise UnknownPerson
        return user

    async def page(self, *, after: str = "", limit: int = 100) -> Sequence[User]:
        """Users by id, for inspection."""
        return await self._repository.page(after=after, limit=limit)

    async def _with_password(self, username: str, password: str) -> User:
        user = await self._repository.find(username)
        matches = await self._passwords.matches(password, user.password_hash if user else None)
        if user is None or not matches:
            raise WrongCredentials
        return user


def _outcome(error: ShopError) -> LoginOutcome:
    match error:
        case WrongCredentials():
            return LoginOutcome.WRONG
        case Busy():
            return LoginOutcome.BUSY
        case _:
            return LoginOutcome.THROTTLED


class OrderNews:
    """The steps of people's orders, as they come in and as they go out."""

    def __init__(
        self,
        repository: AccountRepository,
        streams: Streams,
        *,
        now: Callable[[], datetime],
        silence: float,
        lifetime: float,
    ) -> None:
        """A stream says something every ``silence`` seconds and ends after ``lifetime`` ones."""
        self._repository = repository
        self._streams = streams
        self._now = now
        self._silence = silence
        self._lifetime = lifetime

    async def hear(self, updates: Sequence[OrderUpdate]) -> Sequence[bool]:
        """False for a step that was heard before, or after a newer one."""
        are_new = await self._repository.record_all(updates, now=self._now())
        for update in compress(updates, are_new):
            self._streams.publish(update)
        return are_new

    async def records(self, order_ids: Sequence[UUID]) -> Mapping[UUID, OrderRecord]:
        """What was heard of these orders; without those never heard of."""
        return await self._repository.orders(order_ids)

    async def latest(self, username: str) -> list[OrderUpdate]:
        """The last 100, newest first."""
        return newest_first(await self._repository.updates(username))

    def follow(self, username: str, *, last_event: str) -> Updates:
        """Updates as they come, after those missed since ``last_event``; None for a silence.

        Raises TooManyStreams, at once.
        """
        self._streams.check_room(username)
        return self._followed(username, last_event)

    async def _followed(self, username: str, last_event: str) -> Updates:
        # The first step is taken here, not in follow(): an answer that is never sent would
        # leave its subscription behind.
        try:
            subscription = self._streams.subscribe(username)
        except TooManyStreams:
            return
        ends_at = asyncio.get_running_loop().time() + self._lifetime
        try:
            try:
                missed = await self._missed(username, last_event)
            except Unavailable:
                return
            yield None
            for update in missed:
                yield update
            seen = {update.event_id for update in missed}
            while not subscription.is_over and asyncio.get_running_loop().time() < ends_at:
                news = await subscription.next(within=self._silence)
                if news is None or news.event_id not in seen:
                    yield news
        finally:
            self._streams.unsubscribe(username, subscription)

    async def _missed(self, username: str, last_event: str) -> list[OrderUpdate]:
        await self._streams.begin(username)
        if not last_event:
            return []
        return after_event(await self._repository.updates(username), last_event)


@dataclass(frozen=True, slots=True)
class Profile:
    cart_total: int | Decimal
    orders: list[OrderSummary]
    unavailable: list[str]


class Overview:
    """What carts and orders know of a person."""

    def __init__(self, carts: CartsClient, orders: OrdersClient, *, profile_seconds: float) -> None:
        self._carts = carts
        self._orders = orders
        self._profile_seconds = profile_seconds

    async def profile(self, username: str) -> Profile:
        """Both asked at the same time; the part of one that is away is empty, and named."""
        seconds = self._profile_seconds
        cart, orders = await asyncio.gather(
            _or_none(self._carts.cart(username, seconds=seconds)),
            _or_none(self._orders.summaries(username, seconds=seconds)),
        )
        away = [name for name, part in (("carts", cart), ("orders", orders)) if part is None]
        return Profile(cart["total"] if cart else ZERO, orders or [], away)

    async def cart(self, username: str) -> dict[str, Any]:
        return await self._carts.cart(username)

    async def orders(self, username: str, params: Mapping[str, str]) -> Answer:
        return await self._orders.orders(username, params)

    async def check_out(self, username: str, *, key: str | None) -> Answer:
        return await self._carts.checkout(username, key=key)


async def _or_none(part: Awaitable[T]) -> T | None:
    """None for a service that is away, refuses, or answers something odd."""
    try:
        return await part
    except ShopError:
        return None
