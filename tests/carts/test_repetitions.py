"""Many checkouts whose answers were lost ask again without a rush, and all learn the outcome."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from carts.checkout import CheckoutService
from carts.repositories import CartRepository
from carts.services import CartService
from store.errors import Unavailable
from tests.carts.peers import FakeCatalog, FakeOrders

USERS = [f"user{number}" for number in range(8)]


async def test_they_ask_one_at_a_time_and_all_are_answered(
    carts: CartService, checkouts: CheckoutService, catalog: FakeCatalog, orders: FakeOrders
) -> None:
    lamp, asking, most = catalog.has(), 0, 0
    for user in USERS:
        await carts.add(user, lamp.id, quantity=1)

    async def slowly(request: httpx.Request) -> httpx.Response:
        nonlocal asking, most
        if json.loads(request.content)["id"] not in orders.orders:
            return await orders.lose_the_answer(request)
        asking += 1
        most = max(most, asking)
        for _ in range(20):
            await asyncio.sleep(0)
        asking -= 1
        return await orders.accept(request)

    orders.script.extend([slowly] * 2 * len(USERS))
    bought = await asyncio.gather(*(checkouts.place(user) for user in USERS))

    assert {order["id"] for order in bought} == set(orders.orders)
    assert len(orders.attempts) == 2 * len(USERS)
    assert most == 1


async def test_an_outcome_that_cannot_be_kept_at_once_is_kept_later_though_nobody_asks(
    carts: CartService,
    checkouts: CheckoutService,
    repository: CartRepository,
    catalog: FakeCatalog,
    orders: FakeOrders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await carts.add("alice", catalog.has().id, quantity=1)
    keep, refusals = repository.change, iter([False, True, True, True])

    async def change(*args: Any) -> Any:
        if next(refusals, False):
            raise Unavailable("The disk is full.")
        return await keep(*args)

    monkeypatch.setattr(repository, "change", change)
    order = await checkouts.place("alice")

    assert list(orders.orders.values()) == [order]
    assert (await carts.cart("alice")).lines == {}
    assert await repository.open_intents() == []
