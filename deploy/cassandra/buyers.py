"""People who put something into their carts and check out, again and again, over the gateway."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from httpx_aiohttp import HttpxAiohttpClient

RETRY_BUDGET_SECONDS = 20.0
SECONDS_BETWEEN_TRIES = 1.0
REGISTERED_AT_ONCE = 16
REFUSED_BY_RULE = 409


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that was neither success nor refused by a rule; 0 when none came."""

    at: float
    seconds: float
    call: str
    status: int


@dataclass
class Tally:
    """What the buyers saw; moments are monotonic."""

    journeys: list[float] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    given_up: int = 0
    # Units by (order id, product id), as the shop acknowledged them.
    bought: dict[tuple[str, str], int] = field(default_factory=dict)


class Crowd:
    """Buyers who choose among ``products``; every one repeats what failed, as is."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        products: Sequence[str],
        *,
        pause: float,
        patience: float = RETRY_BUDGET_SECONDS,
    ) -> None:
        """Seconds that a buyer rests, on average, between two journeys, and repeats a call."""
        self.tally = Tally()
        self._patience = patience
        self._client = client
        self._products = products
        self._pause = pause

    async def register(self, size: int) -> list[dict[str, str]]:
        at_once = asyncio.Semaphore(REGISTERED_AT_ONCE)

        async def one() -> dict[str, str]:
            name = f"buyer_{uuid4().hex[:12]}"
            person = {"full_name": "A Buyer", "phone": "+7 999 000-00-00", "password": "a password"}
            async with at_once:
                path = "/user-api/users/register"
                user = await _made(self._client, path, {"username": name, **person})
            return {"Authorization": f"Bearer {user['access_token']}"}

        return await asyncio.gather(*(one() for _ in range(size)))

    async def buy(
        self, buyers: Sequence[dict[str, str]], goes_on: Callable[[], bool], *, seed: int = 1
    ) -> None:
        async def one(headers: dict[str, str], chance: Random) -> None:
            while goes_on():
                await asyncio.sleep(chance.random() * 2 * self._pause)
                await self._journey(headers, chance)

        await asyncio.gather(
            *(one(headers, Random(f"{seed} {number}")) for number, headers in enumerate(buyers))  # noqa: S311
        )

    async def _journey(self, headers: dict[str, str], chance: Random) -> None:
        began_at = time.monotonic()
        for product_id in chance.sample(self._products, chance.randint(1, 2)):
            line = {"product_id": product_id, "quantity": 1}
            if await self._tried("add", "/cart-api/cart/items", headers, line) is None:
                return
        key = {"Idempotency-Key": uuid4().hex}
        order = await self._tried("checkout", "/cart-api/cart/checkout", headers | key, None)
        if order is None:
            return
        for item in order["items"]:
            self.tally.bought[order["id"], item["product_id"]] = item["quantity"]
        self.tally.journeys.append(time.monotonic() - began_at)

    async def _tried(
        self, call: str, path: str, headers: dict[str, str], body: Any
    ) -> dict[str, Any] | None:
        """The answer; None when a rule refused it, or the budget of retries is used up."""
        ends_at = time.monotonic() + self._patience
        while (asked_at := time.monotonic()) < ends_at:
            try:
                answer = await self._client.post(path, headers=headers, json=body)
                status = answer.status_code
            except httpx.TransportError:
                status = 0
            if status == httpx.codes.OK:
                return dict(answer.json())
            seconds = time.monotonic() - asked_at
            self.tally.failures.append(Failure(asked_at + seconds, seconds, call, status))
            if status in (400, REFUSED_BY_RULE):
                return None
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        self.tally.given_up += 1
        return None


def client_of(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return HttpxAiohttpClient(base_url=url, timeout=15, limits=limits)


async def products_on_sale(client: httpx.AsyncClient, count: int, *, stock: int) -> list[str]:
    """New ones, put in by the demo's admin."""
    form = {"username": "swagger_admin", "password": "admin123"}
    token = (await client.post("/user-api/token", data=form)).raise_for_status().json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    product = {"category": "Пробы", "price": 10.5, "stock_count": stock}
    ids = []
    for number in range(count):
        made = await _made(client, "/api/products/", product | {"name": f"Проба {number}"}, headers)
        ids.append(str(made["product_id"]))
    return ids


async def _made(
    client: httpx.AsyncClient, path: str, body: Any, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Asked again while something is away: a shop that has just started is slow."""
    ends_at = time.monotonic() + RETRY_BUDGET_SECONDS
    while True:
        answer = await client.post(path, json=body, headers=headers)
        if answer.is_success or time.monotonic() > ends_at:
            return dict(answer.raise_for_status().json())
        await asyncio.sleep(SECONDS_BETWEEN_TRIES)
