"""Connections that wait are taken together, and a closed door stays closed."""

import asyncio
import socket

import pytest

from store.loop import Loop


class Greeter(asyncio.Protocol):
    """Says a word to whoever connects."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(b"hello")  # type: ignore[attr-defined]


def turns_to_greet(loop: asyncio.AbstractEventLoop, *, guests: int) -> int:
    """How often the loop polls until all of so many, who came while it was busy, are greeted."""

    async def greet() -> int:
        server = await loop.create_server(Greeter, "127.0.0.1", 0, backlog=guests)
        address = server.sockets[0].getsockname()
        came = [guest(address) for _ in range(guests)]
        turns = 0
        while sum(is_greeted(each) for each in came) < guests:
            turns += 1
            await asyncio.sleep(0)  # somebody always has something to do
        for each in came:
            each.close()
        server.close()
        await asyncio.sleep(0.01)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 5)
        return turns

    return loop.run_until_complete(greet())


def guest(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address, 5)
    connection.settimeout(0)
    return connection


def is_greeted(guest: socket.socket) -> bool:
    try:
        return guest.recv(5, socket.MSG_PEEK) == b"hello"
    except BlockingIOError:
        return False


def test_who_came_while_the_loop_was_busy_is_taken_in_a_few_turns() -> None:
    loop = Loop()
    try:
        assert turns_to_greet(loop, guests=100) < 10
    finally:
        loop.close()
