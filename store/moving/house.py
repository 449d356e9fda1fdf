"""Where the settings say that each service keeps its state: out of there, and into there."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

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
    return file.write(path, {service: await _read(service) for service in services})


async def load(path: Path, services: Sequence[str]) -> file.Header:
    """Nothing is written before all places are seen to be empty. Raises CannotMove."""
    check_stopped(services)
    header, states = file.read(path)
    if missing := [service for service in services if service not in states]:
        raise CannotMove(f"{path} has nothing of {', '.join(missing)}.")
    for service in services:
        await _check_empty(service, header.sha256)
    for service in services:
        await _put(service, states[service], header.sha256)
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


async def _read(service: str) -> Tables:
    if service in settings.DATABASES:
        from store.cassandra import moving

        mover = import_module(f"{service}.moving").MOVER
        return await moving.read(mover, settings.DATABASES[service], now=clock.now())
    return journals.read(_data(service), service)


async def _check_empty(service: str, sha256: str) -> None:
    if service in settings.DATABASES:
        from store.cassandra import moving

        mover = import_module(f"{service}.moving").MOVER
        await moving.check_empty(mover, settings.DATABASES[service], sha256=sha256)
    else:
        journals.check_empty(_data(service), service)


async def _put(service: str, tables: Tables, sha256: str) -> None:
    if service in settings.DATABASES:
        from store.cassandra import moving

        mover, database = import_module(f"{service}.moving").MOVER, settings.DATABASES[service]
        await moving.put(mover, database, tables, sha256=sha256, now=clock.now())
    else:
        await journals.put(_data(service), service, tables)


def _data(service: str) -> Path:
    if not settings.DATA_DIR:
        raise CannotMove(f"{service} is in memory without DATA_DIR: set that, or STORE=cassandra.")
    return Path(settings.DATA_DIR)


def told(header: file.Header, services: Sequence[str]) -> str:
    """For people."""
    return ", ".join(f"{header.rows[service]} rows of {service}" for service in services)
