"""How one service calls another: what arrived, what may have arrived, and what certainly did not.

The wire is the seam: MockTransport for what a peer says, real sockets for how it fails.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.http import HttpRequest

from store import http, tokens
from store.correlation import request_id
from store.http import Peer, PeerAway, PeerRefused, client_address
from store.pool import MAX_ANSWER_BYTES, pool

Handle = Callable[[httpx.Request], httpx.Response]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def peer(handle: Handle) -> Peer:
    transport = httpx.MockTransport(handle)
    return Peer("catalog", caller="carts", transport=transport)


def answering(status: int, content: bytes = b"{}", **headers: str) -> Peer:
    return peer(lambda _: httpx.Response(status, content=content, headers=headers))


async def test_an_answer_has_status_data_and_headers() -> None:
    answer = await answering(200, b'{"price": 9.90}', Link="<x>").call("GET", "/x", timeout=1)

    assert (answer.status, answer.value()) == (200, {"price": Decimal("9.90")})
    assert answer.headers["link"] == "<x>"


async def test_an_empty_answer_has_no_data() -> None:
    assert (await answering(204, b"").call("DELETE", "/x", timeout=1)).value() is None


async def test_a_call_carries_token_user_role_and_body() -> None:
    seen: list[httpx.Request] = []
    asked = peer(lambda request: seen.append(request) or httpx.Response(200))

    body = {"price": Decimal("9.90")}
    await asked.call("POST", "/x", timeout=1, user="alice", as_admin=True, json=body)

    sent = seen[0]
    claims = tokens.verified_claims(sent.headers["authorization"].removeprefix("Bearer "))
    assert (claims["sub"], claims["aud"]) == ("service:carts", "catalog")
    assert (sent.headers["x-user-id"], sent.headers["admin"]) == ("alice", "true")
    assert (sent.content, sent.headers["content-type"]) == (b'{"price":9.9}', "application/json")


async def test_a_call_for_nobody_names_nobody() -> None:
    seen: list[httpx.Request] = []
    asked = peer(lambda request: seen.append(request) or httpx.Response(200))

    await asked.call("GET", "/x", timeout=1, params={"q": "чай"}, headers={"Idempotency-Key": "k"})

    assert {"x-user-id", "admin", "x-request-id"}.isdisjoint(seen[0].headers)
    assert seen[0].headers["idempotency-key"] == "k"
    assert seen[0].url.params["q"] == "чай"


async def test_the_request_id_is_passed_on() -> None:
    seen: list[httpx.Request] = []
    asked = peer(lambda request: seen.append(request) or httpx.Response(200))
    before = request_id.set("request-0001")

    await asked.call("GET", "/x", timeout=1)

    request_id.reset(before)
    assert seen[0].headers["x-request-id"] == "request-0001"


async def test_the_token_is_kept_for_half_its_life_then_renewed(settings: LazySettings) -> None:
    signed: list[str] = []
    asked = peer(lambda call: signed.append(call.headers["authorization"]) or httpx.Response(200))

    settings.SERVICE_TOKEN_SECONDS = 60
    await asked.call("GET", "/x", timeout=1)
    await asked.call("GET", "/x", timeout=1)
    settings.SERVICE_TOKEN_SECONDS = -90
    await asked.call("GET", "/x", timeout=1)

    assert signed[0] == signed[1] != signed[2]


async def test_the_first_call_is_signed_even_where_the_machine_has_just_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed: list[str] = []
    asked = peer(lambda call: signed.append(call.headers["authorization"]) or httpx.Response(200))
    monkeypatch.setattr("store.http.time.monotonic", lambda: 5.0)

    await asked.call("GET", "/x", timeout=1)

    assert signed[0] != "Bearer "


async def test_an_error_answer_is_passed_through_as_it_is() -> None:
    body = b'{"detail": "Sold out.", "code": "insufficient_stock", "left": 2}'
    asked = answering(409, body, **{"Retry-After": "7", "Server": "x"})

    with pytest.raises(PeerRefused) as refusal:
        (await asked.call("PUT", "/x", timeout=1)).value()

    error = refusal.value
    assert (error.status, error.word, error.message) == (409, "insufficient_stock", "Sold out.")
    assert error.body() == {"detail": "Sold out.", "code": "insufficient_stock", "left": 2}
    assert error.headers == {"Retry-After": "7"}


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"", b"5", b"null"])
async def test_an_error_answer_without_an_object_still_has_detail_and_code(content: bytes) -> None:
    with pytest.raises(PeerRefused) as refusal:
        (await answering(404, content).call("GET", "/x", timeout=1)).value()

    assert refusal.value.body().keys() == {"detail", "code"}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 301, 302, 304, 307, 308])
async def test_failures_and_redirects_say_nothing_of_what_became_of_the_call(status: int) -> None:
    with pytest.raises(PeerAway) as away:
        await answering(status, b"", Location="http://evil.example/").call("GET", "/x", timeout=1)

    assert away.value.sent


async def test_a_503_of_a_peer_keeps_its_own_words_and_time() -> None:
    body = b'{"detail": "Still being placed.", "code": "checkout_running"}'

    with pytest.raises(PeerAway) as away:
        await answering(503, body, **{"Retry-After": "3"}).call("POST", "/x", timeout=1)

    assert (away.value.message, away.value.word) == ("Still being placed.", "checkout_running")
    assert (away.value.sent, away.value.retry_after) == (True, 3)


async def test_whom_a_busy_peer_sends_away_it_has_not_heard() -> None:
    body = b'{"detail": "Too many at once.", "code": "overloaded"}'

    with pytest.raises(PeerAway) as away:
        await answering(503, body, **{"Retry-After": "1"}).call("POST", "/x", timeout=1)

    assert not away.value.sent


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"[]", b'{"detail": 5, "code": "x"}'])
async def test_a_503_without_words_is_told_in_ours(content: bytes) -> None:
    with pytest.raises(PeerAway) as away:
        await answering(503, content, **{"Retry-After": "later"}).call("GET", "/x", timeout=1)

    assert (away.value.word, away.value.retry_after) == ("service_unavailable", None)


@pytest.mark.parametrize("content", [b"<html></html>", b'{"items": [', b"\xff", b" ", b"NaN"])
@pytest.mark.parametrize("status", [200, 201, 404])
async def test_an_answer_that_is_no_json_makes_no_sense(status: int, content: bytes) -> None:
    with pytest.raises(PeerAway) as away:
        await answering(status, content).call("GET", "/x", timeout=1)

    assert away.value.sent


def failing(error: Exception) -> Peer:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    return peer(handle)


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_without_a_connection_nothing_was_sent(kind: type[httpx.TransportError]) -> None:
    with pytest.raises(PeerAway) as away:
        await failing(kind("no")).call("POST", "/x", timeout=1)

    assert not away.value.sent


UNKNOWN = [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError]


@pytest.mark.parametrize("kind", [*UNKNOWN, httpx.WriteTimeout, httpx.DecodingError])
async def test_after_the_connection_the_outcome_is_unknown(kind: type[httpx.RequestError]) -> None:
    with pytest.raises(PeerAway) as away:
        await failing(kind("no")).call("POST", "/x", timeout=1)

    assert away.value.sent
    assert away.value.body()["code"] == "service_unavailable"


# -- Real sockets, the real client -----------------------------------------------------------


@asynccontextmanager
async def served(settings: LazySettings, serve: Serve) -> AsyncIterator[Peer]:
    """The catalog, at a port where ``serve`` speaks for it."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.SERVICE_URLS = {"catalog": f"http://127.0.0.1:{port}"}
    pool.open()
    try:
        yield http.peer("catalog", caller="carts")
    finally:
        await pool.close()
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


def saying(*parts: bytes, close: bool = True) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        if close:
            writer.close()

    return serve


async def outcome(peer: Peer, method: str = "POST", timeout: float = 5) -> PeerAway:
    with pytest.raises(PeerAway) as away:
        await peer.call(method, "/x", timeout=timeout, json={})
    return away.value


async def test_a_real_answer_arrives(settings: LazySettings) -> None:
    whole = saying(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}')

    async with served(settings, whole) as catalog:
        assert (await catalog.call("GET", "/x", timeout=5)).value() == {"a": 1}


async def test_a_refused_connection_sent_nothing(settings: LazySettings) -> None:
    async with served(settings, saying()) as catalog:
        pass
    pool.open()

    away = await outcome(catalog)

    await pool.close()
    assert not away.sent


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
async def test_a_peer_that_dies_before_it_answers_may_have_done_the_work(
    settings: LazySettings, method: str
) -> None:
    async with served(settings, saying()) as catalog:
        assert (await outcome(catalog, method)).sent


async def test_a_connection_that_is_reset_may_have_carried_the_call(settings: LazySettings) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with served(settings, reset) as catalog:
        assert (await outcome(catalog)).sent


async def test_a_kept_connection_that_breaks_may_have_carried_the_second_call(
    settings: LazySettings,
) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with served(settings, once) as catalog:
        await catalog.call("POST", "/x", timeout=5, json={})
        assert (await outcome(catalog)).sent


CUT_SHORT = {
    "in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", CUT_SHORT.values(), ids=CUT_SHORT.keys())
async def test_half_an_answer_is_none(settings: LazySettings, answer: bytes) -> None:
    async with served(settings, saying(answer)) as catalog:
        assert (await outcome(catalog)).sent


SILENT = {
    "before the answer": b"",
    "in the head": b"HTTP/1.1 200 OK\r\n",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT.keys())
async def test_the_deadline_covers_the_whole_answer(settings: LazySettings, answer: bytes) -> None:
    async with served(settings, saying(answer, close=False)) as catalog:
        assert (await outcome(catalog, timeout=0.05)).sent


async def test_an_answer_without_end_is_cut_off(settings: LazySettings) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b" " * 65536)
                said.append(65536)
                await writer.drain()

    said: list[int] = []
    async with served(settings, endless) as catalog:
        assert (await outcome(catalog)).sent

    assert sum(said) < 2 * MAX_ANSWER_BYTES


async def test_without_the_pool_nobody_is_called(settings: LazySettings) -> None:
    settings.SERVICE_URLS = {"catalog": "http://127.0.0.1:9"}

    with pytest.raises(RuntimeError, match="not open"):
        await http.peer("catalog", caller="carts").call("GET", "/x", timeout=1)


def test_commands_know_the_real_addresses(settings: LazySettings) -> None:
    settings.REMOTE_URLS = {"catalog": "http://10.0.0.1:8000"}

    assert http.remote_url("catalog") == "http://10.0.0.1:8000"


@pytest.mark.parametrize(
    ("proxy", "says", "address"),
    [
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", " 1.2.3.4 ", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("172.16.5.9", "1.2.3.4", "1.2.3.4"),
        ("172.32.0.1", "1.2.3.4", "172.32.0.1"),
        ("6.6.6.6", "1.2.3.4", "6.6.6.6"),
        ("", "1.2.3.4", ""),
    ],
)
def test_a_proxys_word_counts_only_from_one_we_trust(
    settings: LazySettings, proxy: str, says: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1", "172.16.0.0/12"]
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": proxy, "HTTP_X_REAL_IP": says}

    assert client_address(request) == address


def test_forwarded_for_is_not_believed_from_anyone(settings: LazySettings) -> None:
    request: Any = HttpRequest()
    request.META = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}

    assert client_address(request) == "127.0.0.1"
