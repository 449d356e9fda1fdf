"""The process's HTTP clients, which name every failure as httpx does."""

from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

MAX_CONNECTIONS = 256
IDLE_SECONDS = 30


class Pool:
    """Open from the start of the process to its end."""

    def __init__(self) -> None:
        self._remote: httpx.AsyncClient | None = None
        self._local: httpx.AsyncClient | None = None

    def open(self) -> None:
        transport = AiohttpTransport(client=_session)
        # No proxy of the environment comes between the services.
        self._remote = httpx.AsyncClient(transport=transport, timeout=None, trust_env=False)  # noqa: S113

    def client_for(self, url: str) -> httpx.AsyncClient:
        """``local://`` addresses, of ``settings.all``, are served by this very process."""
        if urlsplit(url).scheme == "local":
            self._local = self._local or _local_client()
            return self._local
        if self._remote is None:
            raise RuntimeError("The HTTP pool is not open; see store.lifespan.")
        return self._remote

    async def close(self) -> None:
        for client in (self._remote, self._local):
            if client is not None:
                await client.aclose()
        self._remote = self._local = None


pool = Pool()


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=IDLE_SECONDS)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_named,)
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


def _local_client() -> httpx.AsyncClient:
    from store.asgi import application  # the application itself calls through this module

    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, timeout=None)  # noqa: S113  # Peer.call has one
