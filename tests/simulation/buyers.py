"""People in a simulated shop, and what they know of what they did."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from tests.contract import callers
from tests.contract.world import PASSWORD

PATIENCE_SECONDS = 12.0
TRIES = 20


class Buyer:
    """``put_in`` is certainly in the cart or in an order; ``perhaps`` may be."""

    def __init__(self, name: str, client: httpx.AsyncClient, dice: random.Random) -> None:
        self.name = name
        self.put_in: Counter[str] = Counter()
        self.perhaps: Counter[str] = Counter()
        self.orders: dict[str, float] = {}  # acknowledged ones, with their totals
        self.by_key: dict[str, set[str]] = {}
        self.headers = callers.user(name)
        self._client = client
        self._dice = dice

    async def register(self) -> None:
        person = {"full_name": self.name, "phone": "+7 999 000", "password": PASSWORD}
        url, body = "/user-api/users/register", {"username": self.name, **person}
        answer = await self._client.post(url, json=body)
        assert answer.status_code == 201

    async def shop(self, products: Sequence[str], *, until: float) -> None:
        loop, dice = asyncio.get_running_loop(), self._dice
        while loop.time() < until:
            await asyncio.sleep(dice.expovariate(1.0))
            match dice.randrange(10):
                case 0 | 1 | 2 | 3:
                    await self._put_in(dice.choice(products), dice.randint(1, 3))
                case 4 | 5 | 6:
                    await self._check_out_for_sure()
                case 7:
                    await self._check_out({})
                case 8:
                    await self._cancel()
                case 9:
                    await self._ask("POST", "/user-api/users/me/orders", {})

    async def _put_in(self, product: str, quantity: int) -> None:
        body = {"product_id": product, "quantity": quantity}
        answer = await self._ask("POST", "/cart-api/cart/items", {}, json=body)
        if answer is None or answer.status_code >= 500:
            self.perhaps[product] += quantity
        elif answer.status_code == 200:
            self.put_in[product] += quantity

    async def _check_out_for_sure(self) -> None:
        """With a key, until there is an answer."""
        key = f"key-{len(self.by_key)}"
        self.by_key[key] = set()
        for _ in range(TRIES):
            answer = await self._check_out({"Idempotency-Key": key})
            if answer is not None and answer.status_code < 500:
                if answer.status_code == 200:
                    self.by_key[key].add(answer.json()["id"])
                # Often enough people press the button once more.
                if self._dice.random() < 0.7:
                    return
            await asyncio.sleep(self._dice.uniform(0.1, 1.0))

    async def _check_out(self, headers: dict[str, str]) -> httpx.Response | None:
        answer = await self._ask("POST", "/cart-api/cart/checkout", headers)
        if answer is not None and answer.status_code == 200:
            order = answer.json()
            self.orders[order["id"]] = order["total"]
        return answer

    async def _cancel(self) -> None:
        if self.orders:
            order = self._dice.choice(list(self.orders))
            await self._ask("PUT", f"/order-api/orders/{order}/cancel", {})

    async def _ask(
        self, verb: str, url: str, headers: dict[str, str], **options: Any
    ) -> httpx.Response | None:
        """None when nobody knows what became of it."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._client.request(
                    verb, url, headers=self.headers | headers, **options
                )
        except (httpx.HTTPError, TimeoutError):
            return None
