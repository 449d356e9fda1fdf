"""The process's HTTP connections to the other services."""

import httpx

from store.connections import Connections

MAX_CONNECTIONS = 256
IDLE_SECONDS = 30
MAX_ANSWER_BYTES = 32 * 1024 * 1024


class Pool:
    """Open from the start of the process to its end."""

    def __init__(self) -> None:
        self._remote: httpx.AsyncBaseTransport | None = None
        self._local: httpx.AsyncBaseTransport | None = None

    def open(self) -> None:
        self._remote = Connections(
            most=MAX_CONNECTIONS, idle_seconds=IDLE_SECONDS, answer_bytes=MAX_ANSWER_BYTES
        )

    def transport_to(self, url: str) -> httpx.AsyncBaseTransport:
        """``local://`` addresses, of ``settings.all``, are served by this very process."""
        if url.startswith("local://"):
            self._local = self._local or _local_transport()
            return self._local
        if self._remote is None:
            raise RuntimeError("The HTTP pool is not open; see store.lifespan.")
        return self._remote

    async def close(self) -> None:
        for transport in (self._remote, self._local):
            if transport is not None:
                await transport.aclose()
        self._remote = self._local = None


pool = Pool()


def _local_transport() -> httpx.AsyncBaseTransport:
    from store.asgi import application  # the application itself calls through this module

    return httpx.ASGITransport(app=application, raise_app_exceptions=False)
