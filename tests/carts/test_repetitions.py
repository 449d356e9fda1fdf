"""Many checkouts whose answers were lost ask again without a rush, and all learn the outcome."""

import asyncio

import httpx

from carts.checkout import CheckoutService
from carts.services import CartService
from tests.carts.peers import FakeCatalog, FakeOrders

USERS = [f"user{number}" for number in range(8)]


async def test_they_ask_one_at_a_time_and_all_are_answered(
    carts: CartService, checkouts: CheckoutService, catalog: FakeCatalog, orders: FakeOrders
) -> None:
    lamp, asking, most = catalog.has(), 0, 0
    for user in USERS:
        await carts.add(user, lamp.id, quantity=1)
        orders.script.append(orders.lose_the_answer)

    async def slowly(request: httpx.Request) -> httpx.Response:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        for _ in range(20):
            await asyncio.sleep(0)
        asking -= 1
        return await orders.accept(request)

    orders.script.extend([slowly] * len(USERS))
    bought = await asyncio.gather(*(checkouts.place(user) for user in USERS))

    assert {order["id"] for order in bought} == set(orders.orders)
    assert len(orders.attempts) == 2 * len(USERS)
    assert most == 1
