"""What buyers asked and what they were told: each operation ended well, was refused, or nobody
knows."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from random import uniform
from typing import Any

import aiohttp

from tests.chaos.shop import JSON, Shop

NO_ANSWER = 0
SECONDS_BETWEEN_TRIES = 0.25
SECONDS_TO_INSIST = 110.0


@dataclass(slots=True)
class Operation:
    """``status`` is 0 when no whole answer came. Moments are monotonic."""

    user: str
    call: str
    status: int
    body: Any
    key: str | None
    began_at: float
    seconds: float
    line: tuple[str, int] | None = None
    retry_after: str | None = None

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_unknown(self) -> bool:
        return self.status == NO_ANSWER or self.status >= 500


@dataclass
class History:
    """``stocked``: units that a check put into the catalogue, by product."""

    stocked: dict[str, int] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    # Those of whom accounts knows, with their headers.
    registered: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, call: str) -> Iterable[Operation]:
        return (each for each in self.operations if each.call == call)

    def statuses(self, call: str) -> Counter[int]:
        return Counter(each.status for each in self.of(call))

    def percentile(self, call: str, share: float) -> float:
        times = sorted(each.seconds for each in self.of(call))
        return times[min(len(times) - 1, int(len(times) * share))]


class Buyer:
    """One user, through the gateway; all that he does goes into the history."""

    def __init__(
        self,
        shop: Shop,
        client: aiohttp.ClientSession,
        history: History,
        name: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.headers = headers or shop.user(name)
        self._client, self._history, self._url = client, history, shop.url

    async def add(self, product: str, quantity: int = 1) -> Operation:
        line = {"product_id": product, "quantity": quantity}
        path = "/cart-api/cart/items"
        return await self.ask("add", "POST", path, json=line, line=(product, quantity))

    async def check_out(self, *, key: str | None = None) -> Operation:
        return await self.ask("checkout", "POST", "/cart-api/cart/checkout", key=key)

    async def cancel(self, order_id: str) -> Operation:
        return await self.ask("cancel", "PUT", f"/order-api/orders/{order_id}/cancel")

    async def add_surely(self, product: str, quantity: int = 1) -> Operation:
        return await surely(lambda: self.add(product, quantity))

    async def check_out_surely(self, *, key: str) -> Operation:
        return await surely(lambda: self.check_out(key=key))

    async def cancel_surely(self, order_id: str) -> Operation:
        return await surely(lambda: self.cancel(order_id))

    async def ask(
        self,
        call: str,
        method: str,
        path: str,
        *,
        key: str | None = None,
        json: Any = None,
        line: tuple[str, int] | None = None,
    ) -> Operation:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        began_at = time.monotonic()
        status, body, retry_after = NO_ANSWER, None, None
        try:
            async with self._client.request(
                method, self._url + path, headers=headers, json=json
            ) as answer:
                body = await answer.json(content_type=None)
                status, retry_after = answer.status, answer.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            status = NO_ANSWER
        seconds = time.monotonic() - began_at
        operation = Operation(
            self.name, call, status, body, key, began_at, seconds, line, retry_after
        )
        self._history.operations.append(operation)
        return operation


async def surely(asking: Callable[[], Awaitable[Operation]]) -> Operation:
    """Asked again, as it was and not before it was said, until there is a definite answer.

    Raises TimeoutError.
    """
    ends_at = time.monotonic() + SECONDS_TO_INSIST
    while (operation := await asking()).is_unknown or operation.status == 429:
        if time.monotonic() > ends_at:
            said = f"{operation.status} {operation.body}"
            raise TimeoutError(f"{operation.call} of {operation.user}: {said}")
        pause = float(operation.retry_after or SECONDS_BETWEEN_TRIES)
        await asyncio.sleep(pause * uniform(1, 1.5))
    return operation


async def registered(
    shop: Shop, client: aiohttp.ClientSession, history: History, names: Iterable[str]
) -> list[Buyer]:
    """Users of whom accounts knows: their totals and news can be looked at."""
    gate = asyncio.Semaphore(16)

    async def one(name: str) -> Buyer:
        person = {"username": name, "full_name": "A Buyer", "phone": "+7 999 000-00-00"}
        url = f"{shop.url}/user-api/users/register"
        async with gate, client.post(url, json=person | {"password": "a password"}) as answer:
            assert answer.status == 201, await answer.text()
            token = (await answer.json())["access_token"]
        history.registered[name] = {"Authorization": f"Bearer {token}"}
        return Buyer(shop, client, history, name, history.registered[name])

    return await asyncio.gather(*(one(name) for name in names))


async def stocked(
    shop: Shop, client: aiohttp.ClientSession, history: History, *stocks: int, price: float = 10.5
) -> list[str]:
    """New products with so much of each."""
    ids = []
    for number, stock in enumerate(stocks):
        product: JSON = {"name": f"Проба {number}", "category": "Пробы", "price": price}
        async with client.post(
            f"{shop.url}/api/products/", json=product | {"stock_count": stock}, headers=shop.admin()
        ) as answer:
            assert answer.status == 201, await answer.text()
            ids.append((await answer.json())["product_id"])
        history.stocked[ids[-1]], history.prices[ids[-1]] = stock, price
    return ids
