"""The event loop of a service: uvloop, which takes all connections that wait and not one a turn.

libuv accepts one connection each time it polls. A busy service polls rarely, so in a crowd new
connections would wait for seconds, and be answered when nobody listens any more.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvloop

# In one turn; the requests that are being worked on want to get on, too.
MOST_AT_ONCE = 64

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class Loop(uvloop.Loop):
    """For ``uvicorn --loop store.loop:Loop``."""

    async def create_server(
        self, protocol_factory: ProtocolFactory, *args: Any, **options: Any
    ) -> Any:
        door = _Door(self, protocol_factory)
        door.server = await super().create_server(door.admit, *args, **options)
        return door.server


class _Door:
    """``server`` is uvloop's own, which goes on to take the first one that comes."""

    def __init__(self, loop: Loop, protocol_factory: ProtocolFactory) -> None:
        self.server: Any = None
        self._loop = loop
        self._protocol_factory = protocol_factory
        self._greeting: set[asyncio.Task[Any]] = set()
        self._is_looking = False

    def admit(self) -> asyncio.BaseProtocol:
        """The protocol of one that was accepted; others may wait behind it."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_soon(self._take_the_others)
        return self._protocol_factory()

    def _take_the_others(self) -> None:
        self._is_looking = False
        if self.server is not None and self.server.is_serving():
            for listener in self.server.sockets:
                with suppress(OSError):  # nobody is left
                    for _ in range(MOST_AT_ONCE):
                        self._greet(_accepted(listener))

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greeting = self._loop.connect_accepted_socket(self._protocol_factory, connection)
        task = self._loop.create_task(greeting)
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)


def _accepted(listener: Any) -> socket.socket:
    """The next connection. Raises BlockingIOError.

    uvloop's listening sockets cannot be asked themselves; theirs stays the right to close it.
    """
    door = socket.socket(listener.family, listener.type, fileno=listener.fileno())
    try:
        return door.accept()[0]
    finally:
        door.detach()
