"""The ASGI application of every process: lifespan, body limit, API or page."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import cache
from time import perf_counter
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# To gunicorn, that it is of no use to start this worker again.
CANNOT_START = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.all")
try:
    django.setup(set_prefix=False)
except ImproperlyConfigured as problem:
    sys.stderr.write(f"{problem}\n")
    sys.exit(CANNOT_START)

# Django has to be set up before its views are imported.
from store.admission import Overloaded, admission  # noqa: E402
from store.correlation import Exchange  # noqa: E402
from store.errors import TooLarge  # noqa: E402
from store.handler import ApiHandler, PageHandler  # noqa: E402
from store.lean import header_of  # noqa: E402
from store.lifespan import lifespan  # noqa: E402
from store.logs.requests import log_request  # noqa: E402
from store.overload import turn_away  # noqa: E402
from store.remembered import from_settings  # noqa: E402
from store.urls import FRONT  # noqa: E402

PAGES = ("/admin/", "/docs/", "/openapi.json", "/static/", "/login/", "/logout/")
_PREFIX_HEADER = b"x-forwarded-prefix"

# What a client may still send of a body that was refused, before it is cut off.
MAX_BYTES_THROWN_AWAY = 16 * 1024 * 1024
MAX_SECONDS_THROWING_AWAY = 5.0

api_handler = ApiHandler()


@cache
def page_handler() -> PageHandler:
    """Made with the first page: a service that is never looked at needs no memory for it."""
    return PageHandler()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http":
        await _logged(_routed(scope), receive, send)


async def _logged(scope: Any, receive: Any, send: Any) -> None:
    """One line for every request, whatever became of it."""
    began_at = perf_counter()
    exchange = scope["exchange"] = Exchange()
    try:
        await _serve(scope, receive, send)
    except Exception:
        exchange.status = 500  # as the server answers it
        raise
    finally:
        log_request(exchange, scope, began_at=began_at)
        # The request holds the scope, and that the exchange: a ring is left to the collector.
        exchange.request = None


async def _serve(scope: Any, receive: Any, send: Any) -> None:
    if not admission.admits(scope["path"]):
        await _turn_away(scope, send)
        return
    try:
        body = await _read_body(receive)
    except ConnectionResetError:
        return
    except TooLarge as error:
        await api_handler.refuse(error, scope, _and_read_on(receive, send))
        return
    if _is_page(scope):
        await page_handler()(scope, _replay(body, receive), send)
    else:
        await api_handler.serve(scope, body, receive, send)


async def _turn_away(scope: Any, send: Any) -> None:
    # A page of another origin may read the answer only with headers that depend on the origin.
    if header_of(scope["headers"], b"origin"):
        await api_handler.refuse(Overloaded(), scope, send)
    else:
        await turn_away(scope, send)


def _routed(scope: Any) -> Any:
    """The scope with its service and, as ASGI's root_path, the prefix under which it is seen."""
    prefixes = _prefixes()
    if len(prefixes) == 1:
        [(service, own)] = prefixes
        prefix = header_of(scope["headers"], _PREFIX_HEADER).decode("latin1")
        # Anything but the gateway's own prefix would put a stranger's path into our links.
        if prefix != own:
            return {**scope, "service": service, "root_path": ""}
        return {**scope, "service": service, "root_path": prefix, "path": prefix + scope["path"]}
    for service, prefix in prefixes:
        if scope["path"].startswith(prefix + "/"):
            return {**scope, "service": service, "root_path": prefix}
    return {**scope, "service": FRONT, "root_path": ""}


@from_settings
def _prefixes() -> list[tuple[str, str]]:
    """The services of this process, each with its prefix."""
    return [(service, settings.PREFIXES[service]) for service in settings.SERVICES]


@from_settings
def _most_bytes() -> int:
    return int(settings.MAX_BODY_BYTES)


def _is_page(scope: Any) -> bool:
    path = scope["path"].removeprefix(scope["root_path"])
    if path.startswith(PAGES) or scope["service"] == FRONT:
        return True
    return b"text/html" in header_of(scope["headers"], b"accept")


async def _read_body(receive: Any) -> bytes:
    """The whole body, counted as it arrives. Raises TooLarge, ConnectionResetError."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _most_bytes():
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _and_read_on(receive: Any, send: Any) -> Any:
    """A ``send`` that says everything at once but ends only when the client has had its say.

    To close the connection on what was not read would reset it, and the answer be lost with it.
    """

    async def ending_later(message: Any) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({**message, "more_body": True})
        await _throw_away(receive)
        await send({"type": "http.response.body", "body": b""})

    return ending_later


async def _throw_away(receive: Any) -> None:
    """The rest of a body, within reason."""
    left = MAX_BYTES_THROWN_AWAY
    with suppress(TimeoutError):
        async with asyncio.timeout(MAX_SECONDS_THROWING_AWAY):
            while left > 0 and (message := await receive()).get("more_body", False):
                left -= len(message["body"])


def _replay(body: bytes, receive: Any) -> Any:
    """A ``receive`` that gives the body that was read, then whatever comes after it."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Any:
        return parts.pop() if parts else await receive()

    return replayed
