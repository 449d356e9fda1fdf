"""One shop for all tests of a module; its clock stands still and each of its answers is judged."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from django.test import override_settings

from store import asgi, lifespan
from store.handler import ApiHandler, PageHandler
from tests.contract import rules
from tests.contract.world import Things, World

HOUR = 3600.0
# No order moves on by itself, and nobody is locked out for what these tests try.
SETTINGS = {
    "ORDER_PROCESSING_DELAY": HOUR,
    "ORDER_SHIPPING_DELAY": HOUR,
    "ORDER_DELIVERY_MIN": HOUR,
    "ORDER_DELIVERY_MAX": HOUR,
    "LOGIN_LIMIT_ADDRESS": 500,
}


@asynccontextmanager
async def opened_shop(changed: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a shop with these settings, each of whose answers is judged."""
    with override_settings(**changed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(asgi, "api_handler", ApiHandler())
        patch.setattr(asgi, "page_handler", cache(PageHandler))
        # httpx looks for it at each request, and not finding it takes a third of the time.
        patch.setitem(sys.modules, "sniffio", None)
        await lifespan.startup()
        transport = httpx.ASGITransport(app=asgi.application, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop", event_hooks={"response": [rules.check]}
        ) as client:
            yield client
        await lifespan.shutdown()


async def peopled(client: httpx.AsyncClient) -> World:
    """The shop with its people: an owner, a stranger and an admin."""
    world = World(client)
    await world.register("owner")
    await world.register("stranger")
    await world.register("boss", is_admin=True)
    return world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """In place of the shop that is opened afresh for each test; a module may have SETTINGS."""
    async with opened_shop(SETTINGS | getattr(request.module, "SETTINGS", {})) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(shop: httpx.AsyncClient) -> World:
    return await peopled(shop)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(world: World) -> Things:
    """The admin's, and nobody changes them."""
    things = await world.things("boss")
    world.watched += [f"/api/products/{things.product}", f"/order-api/orders/{things.order}"]
    await world.settle()
    return things


@pytest_asyncio.fixture(loop_scope="module")
async def buyer(world: World) -> str:
    """Somebody new, with an empty cart and no orders."""
    name = f"buyer_{uuid4().hex[:8]}"
    await world.register(name)
    return name


@pytest.fixture
def demo() -> Iterator[None]:
    """Demo mode in the middle of the day: without its users, with its headers."""
    with override_settings(DEMO=True):
        yield
