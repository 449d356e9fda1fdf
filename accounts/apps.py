"""Accounts' composition root."""

import asyncio
import time
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, cast

from django.apps import apps
from django.conf import settings

from accounts import demo, metrics
from accounts.clients import CartsClient, OrdersClient
from accounts.journal import JournaledAccounts
from accounts.passwords import Passwords
from accounts.repositories import AccountRepository, MemoryAccounts
from accounts.services import OrderNews, Overview, People
from accounts.streams import Streams
from accounts.throttling import GuessLimits, MemoryGuesses
from store import clock, http, service
from store.errors import Unavailable
from store.tasks import Tasks

if TYPE_CHECKING:
    from accounts.cassandra.shared import Shared

LOOK_AGAIN_SECONDS = 0.1
# For the hash itself, on a machine that has a lot to do.
SECONDS_TO_HASH = 10


class AccountsConfig(service.ServiceConfig):
    name = "accounts"
    about = "People: registration, login, profile, news of their orders."

    people: People
    news: OrderNews
    overview: Overview

    @property
    def is_in_memory(self) -> bool:
        return "accounts" not in settings.DATABASES

    async def open(self) -> None:
        self._tasks = Tasks()
        self._knows_demo_users = True
        self._shared = None if self.is_in_memory else _shared()
        self._passwords = Passwords(
            rounds=settings.PASSWORD_ROUNDS,
            threads=settings.PASSWORD_THREADS,
            queue=settings.PASSWORD_QUEUE,
            patience=settings.PASSWORD_PATIENCE,
        )
        repository = self._repository()
        self._streams = self._shared.streams if self._shared else Streams(**_stream_limits())
        self.people = self._people(repository)
        self.news = self._news(repository)
        self.overview = Overview(
            CartsClient(http.peer("carts", caller="accounts")),
            OrdersClient(http.peer("orders", caller="accounts")),
            profile_seconds=settings.PROFILE_DEADLINE,
        )
        metrics.STREAMS_OPEN.set_function(self._streams.__len__)
        metrics.PASSWORD_QUEUE.set_function(lambda: self._passwords.under_way)
        await self._open()

    async def close(self) -> None:
        self._streams.close()
        await self._tasks.close(seconds=0)
        self._passwords.close()
        if self._shared:
            await self._shared.close()

    def unready(self) -> str | None:
        reason = self._shared.unready() if self._shared else None
        return reason if reason or self._knows_demo_users else "The demo users are being made."

    def begin_drain(self) -> None:
        self._streams.close()

    async def _open(self) -> None:
        if self._shared:
            self._shared.open()
        if settings.DEMO and self._shared:
            self._knows_demo_users = False
            self._tasks.start(self._add_demo_users_when_it_comes(), name="demo users")
        elif settings.DEMO:
            await demo.add_users(self.people)

    async def _add_demo_users_when_it_comes(self) -> None:
        while not self._knows_demo_users:
            if self._shared and not self._shared.unready():
                with suppress(Unavailable):
                    await demo.add_users(self.people)
                    self._knows_demo_users = True
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _repository(self) -> AccountRepository:
        if self._shared:
            return self._shared.repository
        return JournaledAccounts(self.journal) if self.journal else MemoryAccounts()

    def _people(self, repository: AccountRepository) -> People:
        guesses = GuessLimits(
            self._shared.guesses if self._shared else MemoryGuesses(),
            per_user=settings.LOGIN_LIMIT_USER,
            per_address=settings.LOGIN_LIMIT_ADDRESS,
            window=settings.LOGIN_WINDOW,
            # Instances have only the time of day in common.
            clock=time.time if self._shared else time.monotonic,
        )
        return People(
            repository,
            passwords=self._passwords,
            guesses=guesses,
            now=clock.now,
            demo=settings.DEMO,
        )

    def _news(self, repository: AccountRepository) -> OrderNews:
        return OrderNews(
            repository,
            self._streams,
            now=clock.now,
            silence=settings.STREAM_SILENCE,
            lifetime=settings.USER_TOKEN_SECONDS,
        )


def accounts() -> AccountsConfig:
    """The service of this process, for its views."""
    return cast(AccountsConfig, apps.get_app_config("accounts"))


def _shared() -> "Shared":
    # Here, so that nobody else pays for the driver.
    from accounts.cassandra.schema import ACCOUNTS
    from accounts.cassandra.shared import Shared
    from store.cassandra.bridge import Bridge

    return Shared(
        Bridge(settings.DATABASES["accounts"], ACCOUNTS),
        claim_seconds=ceil(settings.PASSWORD_PATIENCE) + SECONDS_TO_HASH,
        window=settings.LOGIN_WINDOW,
        **_stream_limits(),
    )


def _stream_limits() -> dict[str, int]:
    return {"per_user": settings.STREAMS_PER_USER, "limit": settings.STREAMS_LIMIT}
