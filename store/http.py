"""How one service calls another: httpx over one pool a process, a deadline on every call."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import httpx
from django.conf import settings
from django.http import HttpRequest

from store import tokens, tracing, vitals, wire
from store.admission import Overloaded
from store.breaker import Breaker
from store.correlation import request_id
from store.errors import ShopError, Unavailable
from store.instances import Instance, Instances
from store.pool import pool

PASSED_ON = ("Retry-After", "WWW-Authenticate", "Idempotent-Replayed", "Link")
_SECONDS = re.compile(r"[0-9]{1,5}", re.ASCII)


class PeerAway(Unavailable):
    """No connection, no answer in time, or none that makes sense.

    ``sent`` is False only when the peer certainly never saw the request; otherwise what became
    of it is unknown.
    """

    code = "service_unavailable"

    def __init__(
        self, peer: str, *, sent: bool, said: object = None, retry_after: int | None = None
    ) -> None:
        """``said`` is the body of a peer's own 503, which knows better what is away."""
        self.sent = sent
        match said:
            case {"detail": str(detail), "code": str(code)}:
                super().__init__(detail, code=code, retry_after=retry_after)
            case _:
                super().__init__(f"The {peer} service is away; come back later.")


class PeerRefused(ShopError):
    """An error answer of a peer, passed through with its status and body."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = {name: headers[name] for name in PASSED_ON if name in headers}
        self._body = {"detail": self.detail, "code": self.code, **body}
        super().__init__(str(self._body["detail"]), code=str(self._body["code"]))

    def body(self) -> dict[str, object]:
        return self._body


class Answer:
    """A peer's answer below 500."""

    __slots__ = ("data", "headers", "status")

    def __init__(self, status: int, data: Any, headers: Mapping[str, str]) -> None:
        self.status = status
        self.data = data
        self.headers = headers

    def value(self) -> Any:
        """The answer's data. Raises PeerRefused for an error answer."""
        if self.status < 400:
            return self.data
        body = self.data if isinstance(self.data, dict) else {}
        raise PeerRefused(self.status, body, self.headers)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, whichever instance gets it."""

    method: str
    path: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    json: object


class Peer:
    """Another service as seen from this one."""

    def __init__(
        self,
        name: str,
        *,
        caller: str,
        transport: httpx.AsyncBaseTransport | None = None,
        url: str | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """At its addresses in the settings, through the process's pool, unless others are given;
        each has a breaker of its own.
        """
        self.name = name
        self._caller = caller
        self._own_transport = transport
        self._token = ""
        self._token_renewed_at = float("-inf")
        addresses = (url or settings.SERVICE_URLS[name]).split(",")
        breakers = [breaker or Breaker(on_change=self._circuit_changed) for _ in addresses]
        self._instances = Instances(list(map(Instance, addresses, breakers)))
        vitals.know_peer(name)

    async def call(
        self,
        method: str,
        path: str,
        *,
        timeout: float,  # noqa: ASYNC109  # it covers the whole call, reading included
        user: str | None = None,
        as_admin: bool = False,
        json: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request under a service token; ``timeout`` seconds cover all of it.

        Raises PeerAway for everything but an answer below 500 that is JSON (or empty), at once
        while a peer that did not answer the last calls is left alone. What one instance has
        certainly not seen, another one is asked.
        """
        all_headers = {**self._headers(user, as_admin), **(headers or {})}
        call = _Call(method, path, params, all_headers, json)
        return await self._asked(call, asyncio.get_running_loop().time() + timeout)

    async def _asked(self, call: "_Call", ends_at: float) -> Answer:
        away, tried = PeerAway(self.name, sent=False), set[Instance]()
        while (instance := self._instances.next(without=tried)) is not None:
            try:
                with instance.called():
                    return await self._answered(instance, call, ends_at)
            except PeerAway as problem:
                if problem.sent:
                    raise
                away = problem
            tried.add(instance)
        raise away

    async def _answered(self, instance: Instance, call: "_Call", ends_at: float) -> Answer:
        url = instance.url + call.path
        with tracing.tracer.call(self.name, call.method, url) as span:
            parsed = _url(url).copy_merge_params(call.params) if call.params else _url(url)
            headers = {"Host": instance.host, **call.headers, **span.headers}
            request = _request(call.method, parsed, headers, call.json)
            response, body = await self._received(instance, request, ends_at)
            span.answered(response.status_code)
            return self._answer(response, body)

    async def _received(
        self, instance: Instance, request: httpx.Request, ends_at: float
    ) -> tuple[httpx.Response, bytes]:
        """The whole answer. Raises PeerAway.

        By the transport itself: redirects, cookies and the like, which the client around it
        looks after, are none of the services' business and cost more than the call.
        """
        try:
            with vitals.peer_call(self.name):
                async with asyncio.timeout_at(ends_at):
                    response = await self._transport(instance).handle_async_request(request)
                    body = await _whole(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            instance.breaker.failed()
            raise PeerAway(self.name, sent=False) from None
        except (httpx.HTTPError, TimeoutError):
            instance.breaker.failed()
            raise PeerAway(self.name, sent=True) from None
        instance.breaker.succeeded()
        return response, body

    def _transport(self, instance: Instance) -> httpx.AsyncBaseTransport:
        return self._own_transport or pool.transport_to(instance.address)

    def _circuit_changed(self, _is_open: bool) -> None:
        vitals.circuit(self.name, is_open=self._instances.is_away())

    def _headers(self, user: str | None, as_admin: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._fresh_token()}",
            "Accept": "application/json",
        }
        if user is not None:
            headers["X-User-ID"] = user
        if as_admin:
            headers["admin"] = "true"
        if name := request_id.get():
            headers["X-Request-ID"] = name
        return headers

    def _fresh_token(self) -> str:
        """Signed anew at half of its life, not at every call."""
        if time.monotonic() - self._token_renewed_at > settings.SERVICE_TOKEN_SECONDS / 2:
            self._token = tokens.service_token(self._caller, self.name)
            self._token_renewed_at = time.monotonic()
        return self._token

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise _said_to_be_away(self.name, response, body)
        if response.status_code >= 500 or response.is_redirect:
            raise PeerAway(self.name, sent=True)
        try:
            data = wire.decode(body) if body else None
        except wire.Malformed:
            raise PeerAway(self.name, sent=True) from None
        return Answer(response.status_code, data, response.headers)


def _said_to_be_away(peer: str, response: httpx.Response, body: bytes) -> PeerAway:
    try:
        said = wire.decode(body)
    except wire.Malformed:
        said = None
    seconds = response.headers.get("Retry-After", "")
    retry_after = int(seconds) if _SECONDS.fullmatch(seconds) else None
    # Whom it sends away at its door it has not listened to.
    is_heard = not (isinstance(said, dict) and said.get("code") == Overloaded.code)
    return PeerAway(peer, sent=is_heard, said=said, retry_after=retry_after)


@lru_cache(maxsize=4096)
def _url(text: str) -> httpx.URL:
    """Parsed; the same few, and the products that are asked for most, come again and again."""
    return httpx.URL(text)


def _request(method: str, url: httpx.URL, headers: dict[str, str], json: object) -> httpx.Request:
    """With its body as a stream: httpx takes six times as long to look at one as a body."""
    content = b"" if json is None else wire.encode(json)
    headers["Content-Length"] = str(len(content))
    if json is not None:
        headers["Content-Type"] = "application/json"
    return httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(content))


async def _whole(response: httpx.Response) -> bytes:
    """The body as it came: no encoding of it was asked for."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        return b"".join([part async for part in stream])
    finally:
        await response.aclose()


def peer(name: str, *, caller: str) -> Peer:
    """The service ``name`` as ``caller`` sees it, at its address in the settings."""
    return Peer(name, caller=caller)


def remote_url(name: str) -> str:
    """An address of a running service, for commands: also under ``settings.all``."""
    return str(settings.REMOTE_URLS[name])


def client_address(request: HttpRequest) -> str:
    """The address of whoever began the request: a proxy's word counts only from one we trust."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if _is_trusted(address):
        return str(request.META.get("HTTP_X_REAL_IP", "")).strip() or address
    return address


def _is_trusted(address: str) -> bool:
    try:
        peer_address = ip_address(address)
    except ValueError:
        return False  # a socket in the file system has none
    return any(peer_address in ip_network(each) for each in settings.TRUSTED_PROXIES)
