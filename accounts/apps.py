"""Accounts' composition root."""

import time
from typing import cast

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


class AccountsConfig(service.ServiceConfig):
    name = "accounts"
    about = "People: registration, login, profile, news of their orders."

    people: People
    news: OrderNews
    overview: Overview

    async def open(self) -> None:
        repository = JournaledAccounts(self.journal) if self.journal else MemoryAccounts()
        self._passwords = Passwords(
            rounds=settings.PASSWORD_ROUNDS,
            threads=settings.PASSWORD_THREADS,
            queue=settings.PASSWORD_QUEUE,
            patience=settings.PASSWORD_PATIENCE,
        )
        self._streams = Streams(per_user=settings.STREAMS_PER_USER, limit=settings.STREAMS_LIMIT)
        self.people = self._people(repository)
        self.news = OrderNews(
            repository,
            self._streams,
            now=clock.now,
            silence=settings.STREAM_SILENCE,
            lifetime=settings.USER_TOKEN_SECONDS,
        )
        self.overview = Overview(
            CartsClient(http.peer("carts", caller="accounts")),
            OrdersClient(http.peer("orders", caller="accounts")),
            profile_seconds=settings.PROFILE_DEADLINE,
        )
        metrics.STREAMS_OPEN.set_function(self._streams.__len__)
        metrics.PASSWORD_QUEUE.set_function(lambda: self._passwords.under_way)
        if settings.DEMO:
            await demo.add_users(self.people)

    async def close(self) -> None:
        self._streams.close()
        self._passwords.close()

    def begin_drain(self) -> None:
        self._streams.close()

    def _people(self, repository: AccountRepository) -> People:
        guesses = GuessLimits(
            MemoryGuesses(),
            per_user=settings.LOGIN_LIMIT_USER,
            per_address=settings.LOGIN_LIMIT_ADDRESS,
            window=settings.LOGIN_WINDOW,
            clock=time.monotonic,
        )
        return People(
            repository,
            passwords=self._passwords,
            guesses=guesses,
            now=clock.now,
            demo=settings.DEMO,
        )


def accounts() -> AccountsConfig:
    """The service of this process, for its views."""
    return cast(AccountsConfig, apps.get_app_config("accounts"))
