"""Services that cannot be reached by the others, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings

from store import asgi
from store.pool import pool


class _Outage(httpx.AsyncBaseTransport):
    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self._prefixes = prefixes
        self._working = httpx.ASGITransport(app=asgi.application)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith(self._prefixes):
            raise httpx.ConnectError("It is away.")
        return await self._working.handle_async_request(request)


@contextmanager
def away(*services: str) -> Iterator[None]:
    """Nobody connects to these; clients of the shop still do."""
    prefixes = tuple(f"{settings.PREFIXES[name]}/" for name in services)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "_local", _Outage(prefixes))
        yield
