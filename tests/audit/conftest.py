"""The shop in one process, somebody who buys in it, and its books opened by the audit."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest
from django.apps import apps
from django.conf import LazySettings

from audit.differences import Findings
from audit.look import audit
from audit.shop import Shop
from store import http
from tests.contract.world import World

Audited = Callable[[], Awaitable[Findings]]
HOUR = 3600.0


@pytest.fixture
def still(settings: LazySettings) -> None:
    """No order moves on by itself."""
    settings.ORDER_PROCESSING_DELAY = settings.ORDER_SHIPPING_DELAY = HOUR


@pytest.fixture
async def world(still: None, shop: httpx.AsyncClient) -> World:
    world = World(shop)
    await world.register("alice")
    return world


@pytest.fixture
def audited(world: World) -> Audited:
    """What is found once all news have arrived."""
    names = ("catalog", "carts", "orders", "accounts")
    peers = Shop.of({name: http.peer(name, caller=name) for name in names})

    async def look() -> Findings:
        await world.settle()
        return await audit(peers, again_after=0)

    return look


def app(name: str) -> Any:
    """The composition root of a service, for tests that put something wrong inside."""
    return cast(Any, apps.get_app_config(name))
