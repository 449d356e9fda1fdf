"""How carts sees its peers over real sockets: what is certain and what is left in doubt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import LazySettings

from carts.clients import OrdersClient
from carts.domain import CartLine, CheckoutIntent
from store import http
from store.http import PeerAway
from store.pool import pool as http_pool
from tests.carts.peers import NOON

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LINE = CartLine(uuid4(), uuid4(), "Лампа", Decimal("99.99"), 2)
INTENT = CheckoutIntent("alice", uuid4(), (LINE,), NOON + timedelta(seconds=60))


@pytest.fixture
async def pool() -> AsyncIterator[None]:
    http_pool.open()
    yield
    await http_pool.close()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The address of a server that treats every connection with ``handler``."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def drop_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def reset_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def cut_the_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id":')
    await writer.drain()
    writer.close()


async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def place_at(address: str, settings: LazySettings) -> PeerAway:
    settings.SERVICE_URLS = {**settings.SERVICE_URLS, "orders": address}
    client = OrdersClient(http.peer("orders", caller="carts"), seconds=0.3)
    with pytest.raises(PeerAway) as away:
        await client.place(INTENT)
    return away.value


async def test_a_refused_connection_began_nothing(pool: None, settings: LazySettings) -> None:
    async with serving(keep_silent) as address:
        pass

    assert not (await place_at(address, settings)).sent


@pytest.mark.parametrize(
    "handler", [drop_after_reading, reset_after_reading, cut_the_answer, keep_silent]
)
async def test_a_connection_that_was_there_leaves_a_doubt(
    pool: None, settings: LazySettings, handler: Handler
) -> None:
    async with serving(handler) as address:
        away = await place_at(address, settings)

    assert away.sent
