"""The tiny service of ``tests.store.tiny``, reached through the real ASGI application."""

from collections.abc import AsyncIterator

import httpx
import pytest
from django.conf import LazySettings

from store.asgi import application
from store.routes import Routes
from tests.store import tiny


@pytest.fixture
def tiny_service(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the catalog service, and the catalog is the tiny service."""
    settings.SERVICES = ["catalog"]
    routes = Routes(tiny)
    monkeypatch.setattr("store.handler.routes_of", lambda _: routes)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> tiny.Gate:
    gate = tiny.Gate()
    monkeypatch.setattr(tiny, "gate", gate)
    return gate


@pytest.fixture
async def client(tiny_service: None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        yield client
