"""httpx's transport between services: HTTP/1.1 over connections that are kept.

A call through it takes a third of what one through a general client takes: no proxies, redirects,
cookies or encodings, which services do not use among themselves, and nothing is ever repeated.
"""

import asyncio
import ssl
from collections import defaultdict
from functools import cache
from typing import Any

import httptools
import httpx

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}


class Connections(httpx.AsyncBaseTransport):
    """At most ``most`` at a time; one that was idle for ``idle_seconds`` is not used again.

    Failures before a request could be sent are httpx.ConnectError, all others say nothing of
    what became of it. A cancelled request takes its connection with it.
    """

    def __init__(self, *, most: int, idle_seconds: float, answer_bytes: int) -> None:
        """``answer_bytes``: a larger body is cut off."""
        self._turns = asyncio.Semaphore(most)
        self._idle_seconds = idle_seconds
        self._answer_bytes = answer_bytes
        self._idle: defaultdict[Origin, dict[_Connection, None]] = defaultdict(dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        message = _head(request) + await request.aread()
        async with self._turns:
            connection = self._kept(origin) or await self._opened(origin)
            try:
                response = await connection.exchange(message)
            except BaseException:
                connection.close()
                raise
            connection.rest()
        return response

    async def aclose(self) -> None:
        for idle in self._idle.values():
            for connection in list(idle):
                connection.close()

    def _kept(self, origin: Origin) -> "_Connection | None":
        """The one that was used last: those behind it may be old."""
        idle = self._idle[origin]
        while idle:
            connection, _ = idle.popitem()
            if connection.idle_for() < self._idle_seconds:
                return connection
            connection.close()
        return None

    async def _opened(self, origin: Origin) -> "_Connection":
        scheme, host, port = origin
        loop, idle = asyncio.get_running_loop(), self._idle[origin]
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(idle, self._answer_bytes),
                *(host, port),
                ssl=_tls() if scheme == "https" else None,
            )
        except (OSError, ssl.CertificateError) as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


class _Connection(asyncio.Protocol):
    """Carries one request at a time; ``idle`` holds it between them while it may be used again."""

    _transport: asyncio.Transport

    def __init__(self, idle: "dict[_Connection, None]", answer_bytes: int) -> None:
        self._idle = idle
        self._answer_bytes = answer_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._is_kept = False
        self._idle_since = 0.0
        self._begin()

    async def exchange(self, message: bytes) -> httpx.Response:
        """The whole answer. Raises httpx.ReadError or RemoteProtocolError."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            raise httpx.ReadError("The connection is closed.")
        self._transport.write(message)
        return await self._answer

    def rest(self) -> None:
        """After an exchange: waits for the next one, if the other side will have it."""
        self._answer = None
        if self._is_kept and not self._transport.is_closing():
            self._idle_since = asyncio.get_running_loop().time()
            self._idle[self] = None
        else:
            self.close()

    def idle_for(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() - self._idle_since

    def close(self) -> None:
        self._transport.abort()

    # -- What the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(str(error)))

    def connection_lost(self, error: Exception | None) -> None:
        self._idle.pop(self, None)
        self._fail(httpx.ReadError("The connection broke before the answer was whole."))

    # -- What the parser tells -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self._is_kept = False  # a second answer: what comes next would belong to nobody

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        if name.lower() == b"content-encoding":  # nobody asked for one
            self._fail(httpx.RemoteProtocolError("The answer is encoded."))

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._answer_bytes:
            self._fail(httpx.ReadError("The answer is too large."))

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        headers, body = self._headers, bytes(self._body)
        self._begin()
        if status >= 200 and self._answer is not None and not self._answer.done():
            self._is_kept = bool(self._parser.should_keep_alive())
            stream = httpx.ByteStream(body)
            self._answer.set_result(httpx.Response(status, headers=headers, stream=stream))

    def _begin(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    def _fail(self, error: httpx.TransportError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _head(request: httpx.Request) -> bytes:
    """Raises httpx.LocalProtocolError for a header that would be two."""
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % pair for pair in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\0" in head:
        raise httpx.LocalProtocolError("A header holds the end of a line.")
    return head + b"\r\n\r\n"


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
