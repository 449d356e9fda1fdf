"""Where the settings say that each service keeps its state: out of there, and into there."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import httpx
from django.conf import settings

from store import clock
from store.journal.replay import Tables
from store.moving import file, journals
from store.moving.errors import CannotMove

SECONDS_TO_ANSWER = 2.0


async def export(path: Path, services: Sequence[str]) -> file.Header:
    """Raises CannotMove."""
    check_stopped(services)
    return file.write(path, {service: await _place_of(service).read() for service in services})


async def load(path: Path, services: Sequence[str]) -> file.Header:
    """Nothing is written before all places are seen to be empty. Raises CannotMove."""
    check_stopped(services)
    header, states = file.read(path)
    if missing := [service for service in services if service not in states]:
        raise CannotMove(f"{path} has nothing of {', '.join(missing)}.")
    places = {service: _place_of(service) for service in services}
    for place in places.values():
        await place.check_empty(sha256=header.sha256)
    for service, place in places.items():
        await place.put(states[service], sha256=header.sha256)
    return header


def check_stopped(services: Sequence[str]) -> None:
    """Raises CannotMove while one answers."""
    for service in services:
        url = settings.REMOTE_URLS[service]
        try:
            httpx.get(f"{url}/health", timeout=SECONDS_TO_ANSWER)
        except httpx.TransportError:
            continue
        raise CannotMove(f"{service} answers at {url}: stop the shop first.")


class _Place(Protocol):
    """Where one service keeps its state."""

    async def read(self) -> Tables: ...

    async def check_empty(self, *, sha256: str) -> None: ...

    async def put(self, tables: Tables, *, sha256: str) -> None: ...


class _InJournal:
    def __init__(self, service: str) -> None:
        if not settings.DATA_DIR:
            raise CannotMove(
                f"{service} is in memory without DATA_DIR: set that, or STORE=cassandra."
            )
        self._where = Path(settings.DATA_DIR), service

    async def read(self) -> Tables:
        return journals.read(*self._where)

    async def check_empty(self, *, sha256: str) -> None:
        """A journal has everything of a file or nothing."""
        journals.check_empty(*self._where)

    async def put(self, tables: Tables, *, sha256: str) -> None:
        await journals.put(*self._where, tables)


class _OnCassandra:
    def __init__(self, service: str) -> None:
        # Here, so that nobody else pays for the driver.
        from store.cassandra import moving

        self._moving = moving
        self._where = import_module(f"{service}.moving").MOVER, settings.DATABASES[service]

    async def read(self) -> Tables:
        return await self._moving.read(*self._where, now=clock.now())

    async def check_empty(self, *, sha256: str) -> None:
        await self._moving.check_empty(*self._where, sha256=sha256)

    async def put(self, tables: Tables, *, sha256: str) -> None:
        await self._moving.put(*self._where, tables, sha256=sha256, now=clock.now())


def _place_of(service: str) -> _Place:
    return _OnCassandra(service) if service in settings.DATABASES else _InJournal(service)


def told(header: file.Header, services: Sequence[str]) -> str:
    """For people."""
    return ", ".join(f"{header.rows[service]} rows of {service}" for service in services)
