"""The transport between services on real sockets: which connection carries what, and for how long.

How its failures look to a caller is told in ``test_http``.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from store.connections import Connections

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next of ``answers``, then with OK."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @property
    def connections(self) -> int:
        return len(self.writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answers.pop(0) if self.answers else OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            return


@asynccontextmanager
async def served(server: Server, **limits: float) -> AsyncIterator[Connections]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    options = {"most": 8, "idle_seconds": 30.0, "answer_bytes": 1000} | limits
    connections = Connections(**options)  # type: ignore[arg-type]
    yield connections
    await connections.aclose()
    listening.close()
    for writer in server.writers:
        writer.transport.abort()


async def ask(connections: Connections, server: Server, **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{server.port}/x?q=1"
    request = httpx.Request("GET", url, headers=headers)
    async with asyncio.timeout(5):
        return await connections.handle_async_request(request)


async def test_a_request_is_written_as_it_is() -> None:
    server = Server()
    async with served(server) as connections:
        answer = await ask(connections, server, **{"X-Request-ID": "r1"})

    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /x?q=1 HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "X-Request-ID: r1"} <= set(lines)
    assert (answer.status_code, await answer.aread()) == (200, b"{}")


async def test_one_connection_carries_one_request_after_the_other() -> None:
    server = Server()
    async with served(server) as connections:
        for _ in range(5):
            await ask(connections, server)

    assert (server.connections, len(server.requests)) == (1, 5)


async def test_requests_at_the_same_time_have_connections_of_their_own_up_to_a_limit() -> None:
    server = Server()
    async with served(server, most=3) as connections:
        await asyncio.gather(*(ask(connections, server) for _ in range(10)))

    assert (server.connections, len(server.requests)) == (3, 10)


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again() -> None:
    server = Server()
    async with served(server, idle_seconds=0) as connections:
        await ask(connections, server)
        await ask(connections, server)

    assert server.connections == 2


async def test_a_connection_that_the_server_closed_while_idle_is_not_used_again() -> None:
    server = Server()
    async with served(server) as connections:
        await ask(connections, server)
        server.writers[0].transport.abort()
        await asyncio.sleep(0.05)
        await ask(connections, server)

    assert server.connections == 2


@pytest.mark.parametrize("header", ["Connection: close", "Connection: Close"])
async def test_a_connection_whose_end_was_announced_is_not_used_again(header: str) -> None:
    closing = OK.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode())
    server = Server(closing)
    async with served(server) as connections:
        await ask(connections, server)
        await ask(connections, server)

    assert server.connections == 2


async def test_what_nobody_asked_for_is_nobodys_answer() -> None:
    server = Server()
    async with served(server) as connections:
        await ask(connections, server)
        server.writers[0].write(OK.replace(b"{}", b"[]"))
        await asyncio.sleep(0.05)
        answer = await ask(connections, server)

    assert await answer.aread() == b"{}"
    assert server.connections == 2


async def test_a_second_answer_to_one_request_is_nobodys() -> None:
    server = Server(OK + OK.replace(b"{}", b"[]"))
    async with served(server) as connections:
        answers = [await (await ask(connections, server)).aread() for _ in range(2)]

    assert answers == [b"{}", b"{}"]
    assert server.connections == 2


async def test_a_cancelled_request_leaves_no_answer_to_the_next() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[")
    async with served(server) as connections:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask(connections, server)
        answer = await ask(connections, server)

    assert await answer.aread() == b"{}"
    assert server.connections == 2


async def test_an_answer_in_chunks_and_after_a_word_in_between_is_whole() -> None:
    chunks = b"5\r\n[1, 2\r\n4\r\n, 3]\r\n0\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    server = Server(b"HTTP/1.1 103 Early Hints\r\n\r\n" + chunked)
    async with served(server) as connections:
        answer = await ask(connections, server)

    assert await answer.aread() == b"[1, 2, 3]"


async def test_an_answer_that_is_too_large_is_cut_off() -> None:
    server = Server(OK.replace(b"2\r\n\r\n{}", b"2000\r\n\r\n" + b" " * 2000))
    async with served(server) as connections:
        with pytest.raises(httpx.ReadError, match="too large"):
            await ask(connections, server)


@pytest.mark.parametrize("value", ["a\r\nAdmin: true", "a\nAdmin: true", "a\0"])
async def test_no_header_makes_another(value: str) -> None:
    server = Server()
    async with served(server) as connections:
        with pytest.raises(httpx.LocalProtocolError):
            await ask(connections, server, **{"X-User-ID": value})

    assert server.requests == []
