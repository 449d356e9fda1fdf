"""The process's HTTP connections to the other services; every failure is named as httpx does."""

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

MAX_CONNECTIONS = 256
IDLE_SECONDS = 30


class Pool:
    """Open from the start of the process to its end."""

    def __init__(self) -> None:
        self._remote: httpx.AsyncBaseTransport | None = None
        self._local: httpx.AsyncBaseTransport | None = None

    def open(self) -> None:
        self._remote = AiohttpTransport(client=_session)

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


def _session() -> aiohttp.ClientSession:
    """No proxy of the environment comes between the services."""
    connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=IDLE_SECONDS)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_named,),
        skip_auto_headers=("Accept-Encoding", "User-Agent"),
    )


async def _named(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Tells a connection that was never made from one that broke: httpx-aiohttp calls both
    ConnectTimeout. It also keeps aiohttp from repeating a PUT by itself.
    """
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise httpx.ConnectError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(str(error)) from error


def _local_transport() -> httpx.AsyncBaseTransport:
    from store.asgi import application  # the application itself calls through this module

    return httpx.ASGITransport(app=application, raise_app_exceptions=False)
