"""Start and end of a process: the HTTP pool and the services open before the first request."""

import asyncio
import gc
import logging
import signal
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings

from store import service, tracing, vitals
from store.journal import CannotOpen, Journal, Sync, open_journal
from store.logs.records import process_name
from store.logs.writer import writer
from store.pool import pool
from store.tasks import Tasks

log = logging.getLogger(__name__)
_watching = Tasks()


async def lifespan(receive: Any, send: Any) -> None:
    """Speaks the ASGI lifespan protocol."""
    await receive()
    try:
        await startup()
    except CannotOpen as problem:
        await send({"type": "lifespan.startup.failed", "message": str(problem)})
        return
    except Exception as error:
        log.exception("The start failed")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    try:
        await shutdown()
    except Exception as error:
        log.exception("The end failed")
        await send({"type": "lifespan.shutdown.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})


async def startup() -> None:
    writer.open()
    logging.captureWarnings(capture=True)
    if settings.DEMO:
        log.warning("Demo mode: demo users, open admin header. Never on a public address.")
    service.state.is_draining = False
    tracing.open_tracer(process_name())
    pool.open()
    for config in service.configs():
        config.journal = _open_journal(config)
        await config.open()
    service.state.is_open = True
    vitals.READY.set_function(service.state.is_ready)
    vitals.MEMORY_LIMIT.set(vitals.memory_limit())
    _watching.supervise(vitals.watch_the_loop, name="event loop lag")
    _watch_for_sigterm()
    _spare_the_collector()


async def shutdown() -> None:
    begin_drain()
    await _watching.close(seconds=0)
    try:
        for config in reversed(service.configs()):
            await config.close()
            if config.journal is not None:
                await config.journal.close()
    finally:
        await pool.close()
        await tracing.close_tracer()
        service.state.is_open = False
        writer.close()


def _open_journal(config: service.ServiceConfig) -> Journal | None:
    """Raises CannotOpen."""
    if not settings.DATA_DIR or not config.is_in_memory:
        return None
    sync = Sync(settings.JOURNAL_SYNC)
    journal = open_journal(Path(settings.DATA_DIR), config.name, sync=sync)
    journal.open()
    return journal


def _spare_the_collector() -> None:
    """What the process has made until now stays to its end: no use looking through it for garbage
    again and again, which stopped everything for tens of milliseconds.
    """
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()


def begin_drain() -> None:
    if not service.state.is_draining:
        service.state.is_draining = True
        for config in service.configs():
            config.begin_drain()


def _watch_for_sigterm() -> None:
    """Learns of SIGTERM at once: the server speaks of the end only after the last connection.

    An event stream would hold that connection open, and readiness has to go off first.
    """
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before):
        return

    def drain_first(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin_drain)
        before(number, frame)

    signal.signal(signal.SIGTERM, drain_first)
