"""A drill for a running shop, or for one of its own."""

import asyncio
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.drill.customers import Door
from audit.drill.trials import Kill, Outcome
from audit.drill.verdict import drill, heading, last_word, shown
from audit.running import running_shop
from audit.shop import CannotAsk
from store.pool import pool

FAILED = 1
CANNOT_ASK = 2


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the drill takes place: ``doors`` for customers, ``services`` for the audit."""

    doors: Mapping[str, str]
    services: Mapping[str, str]
    kill: Kill | None = None


class Command(BaseCommand):
    help = (
        "200 buyers for one unit, 50 checkouts of one cart, kills where it started the shop itself,"
        " then the audit, within a minute. Status 1 when the shop fails, 2 when it cannot be asked."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--url", help="the gateway; without it customers go to the services")
        where.add_argument("--start", action="store_true", help="start a shop, and kill in it")

    def handle(self, *args: Any, url: str | None, start: bool, **options: Any) -> None:
        with _own_shop() if start else _running(url) as ground:
            status = asyncio.run(self._prove(ground))
        if status:
            sys.exit(status)

    async def _prove(self, ground: Ground) -> int:
        began_at, outcomes = time.monotonic(), list[Outcome]()
        self.stdout.write(heading())
        async with running_shop(ground.services) as shop:
            transport = pool.transport_to(ground.doors["catalog"])
            door = Door(httpx.AsyncClient(transport=transport), ground.doors)
            try:
                async for outcome in drill(door, shop, ground.kill):
                    outcomes.append(outcome)
                    self.stdout.write(shown(outcome))
            except CannotAsk as error:
                self.stderr.write(str(error))
                return CANNOT_ASK
        seconds = time.monotonic() - began_at
        self.stdout.write(last_word(outcomes, asked_again=door.asked_again, seconds=seconds))
        return 0 if all(outcome.is_passed for outcome in outcomes) else FAILED


@contextmanager
def _running(url: str | None) -> Iterator[Ground]:
    services = settings.REMOTE_URLS
    yield Ground(doors=_behind(url) if url else services, services=services)


@contextmanager
def _own_shop() -> Iterator[Ground]:
    try:
        # Here: images of the shop have no local run in them.
        from deploy.local.trial import Trial, shop_on_trial
    except ImportError:
        raise CommandError("There is no local run here to start: use --url.") from None

    def kill_in(shop: Trial) -> Kill:
        async def kill(name: str) -> None:
            killed = shop.kill(name)

            def is_back() -> bool:
                return shop.pid(name) not in (0, killed) and shop.is_ready(name)

            await asyncio.to_thread(shop.wait_until, is_back)

        return kill

    # The same key in both: the drill signs its customers' tokens.
    environment = {"SECRET_KEY": settings.SECRET_KEY, "DEMO": "0"}
    with (
        tempfile.TemporaryDirectory(prefix="prove") as folder,
        shop_on_trial(Path(folder), **environment) as shop,
    ):
        services = {name: shop.layout.url(name) for name in settings.PREFIXES}
        yield Ground(_behind(shop.url), services, kill_in(shop))


def _behind(gateway: str) -> Mapping[str, str]:
    return {name: gateway.rstrip("/") + prefix for name, prefix in settings.PREFIXES.items()}
