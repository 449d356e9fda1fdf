"""A new SECRET_KEY without anybody being logged out, on four real services, one after the other."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.security.services import Services, services_in

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

OLD, NEW = "the old key; it is long enough to be one", "the new key; it is long enough as well"
# What is asked all the time: each service by itself, and each call from one to another.
ASKED = [
    ("accounts", "GET", "/users/me"),
    ("accounts", "GET", "/users/me/profile"),
    ("accounts", "GET", "/users/me/orders"),
    ("accounts", "GET", "/users/me/cart"),
    ("carts", "GET", "/cart/"),
    ("carts", "POST", "/cart/items"),
    ("carts", "POST", "/cart/checkout"),
    ("orders", "GET", "/orders/"),
    ("catalog", "GET", "/products/by-category/x"),
]


class Load:
    """A user who asks for everything in turn, with the token he once got."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.token, self.product = "", ""
        self.statuses: Counter[int] = Counter()
        self.refused: list[str] = []

    async def log_in(self, client: httpx.AsyncClient) -> None:
        """A new user in a shop whose state is in memory: with him comes his product."""
        person = {"full_name": "A Buyer", "phone": "+7 999 000", "password": "a password"}
        body = person | {"username": f"buyer_{uuid4().hex[:8]}"}
        url = f"{self._services.url('accounts')}/users/register"
        self.token = (await client.post(url, json=body)).json()["access_token"]

    async def ask_on(self, client: httpx.AsyncClient, done: asyncio.Event) -> None:
        while not done.is_set():
            for service, method, path in ASKED:
                await self.ask(client, service, method, path)

    async def ask(
        self, client: httpx.AsyncClient, service: str, method: str, path: str
    ) -> int | None:
        """The status; None while the service is away."""
        line = {"product_id": self.product, "quantity": 1}
        body: dict[str, Any] = {"json": line} if path == "/cart/items" else {}
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self._services.url(service) + path
        try:
            answer = await client.request(method, url, headers=headers, **body)
        except httpx.TransportError:
            return None
        self.statuses[answer.status_code] += 1
        if answer.status_code == 401:
            self.refused.append(f"{method} {service} {path}: {answer.text}")
        return answer.status_code


async def product_in(services: Services, client: httpx.AsyncClient) -> str:
    """From the demo's products."""
    headers = {"admin": "true"}
    answer = await client.get(f"{services.url('catalog')}/products/?limit=1", headers=headers)
    return str(answer.json()["items"][0]["product_id"])


async def under_load(services: Services, passes: list[dict[str, str]], data: Path) -> Load:
    """One user asks on while each pass restarts the four services, one after the other."""
    data.mkdir()
    common = {"DATA_DIR": str(data), "DEMO": "1", "ORDER_PROCESSING_DELAY": "0.2"}
    await services.start_all(**common, SECRET_KEY=OLD)
    load, done = Load(services), asyncio.Event()
    async with httpx.AsyncClient(timeout=15) as client:
        load.product = await product_in(services, client)
        await load.log_in(client)
        asking = asyncio.create_task(load.ask_on(client, done))
        for settings in passes:
            for name in services.ports:
                await services.restart(name, **common, **settings)
        await asyncio.sleep(1)
        done.set()
        await asking
    return load


PREPARED = {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": NEW}
TURNED = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": OLD}


async def test_a_key_is_changed_under_load_without_a_false_401(tmp_path: Path) -> None:
    with services_in(tmp_path) as services:
        load = await under_load(services, [PREPARED, TURNED], tmp_path / "data")

        assert load.refused == []
        assert load.statuses[200] > 100
        print(f"\n{dict(load.statuses)}")
        # Half an hour later every token of the old key has ended, and it is taken out.
        for name in services.ports:
            await services.restart(name, DATA_DIR=str(tmp_path / "data"), DEMO="1", SECRET_KEY=NEW)
        async with httpx.AsyncClient(timeout=15) as client:
            statuses = [
                await load.ask(client, service, method, path) for service, method, path in ASKED
            ]
            assert set(statuses) == {401}
            await load.log_in(client)
            assert await load.ask(client, "accounts", "GET", "/users/me/profile") == 200


async def test_without_fallbacks_the_load_sees_it(tmp_path: Path) -> None:
    with services_in(tmp_path) as services:
        load = await under_load(services, [{"SECRET_KEY": NEW}], tmp_path / "data")

    assert load.refused != []
