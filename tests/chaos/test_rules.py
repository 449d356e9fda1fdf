"""Who may change an order, and when: T07, T35."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import aiohttp
import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, Operation, registered, stocked, surely
from tests.chaos.oracle import assert_all_holds
from tests.chaos.shop import Shop, client, name_of_a_user, shop_under_fire

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

STEP_SECONDS = 3.0
STEPS = {"ORDER_PROCESSING_DELAY": "3", "ORDER_SHIPPING_DELAY": "3"}
ENDS = {"ORDER_DELIVERY_MIN": "3", "ORDER_DELIVERY_MAX": "3"}
LEFT_AND_RIGHT_SECONDS = 0.02


async def test_t07_a_cancellation_and_the_clock_have_one_winner(
    tmp_path: Path, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    with shop_under_fire(tmp_path, direct=True, **STEPS, **ENDS) as shop:
        count = 1000 if is_long else 90
        won = await cancelled_on_the_hour(shop, history, count=count, seed=seed)
    figures("T07", orders=count, cancelled=won[200], too_late=count - won[200])


async def cancelled_on_the_hour(
    shop: Shop, history: History, *, count: int, seed: int
) -> Counter[int]:
    """Each order is cancelled twice at once, within 20 ms of one of its three changes; gives the
    better answers."""
    dice, won = Random(seed), Counter[int]()
    async with client(connections=400) as web:
        [article] = await stocked(shop, web, history, 2 * count)
        crowd = await registered(shop, web, history, [name_of_a_user() for _ in range(45)])
        boss = Buyer(shop, web, history, "boss", shop.admin())

        async def lives(buyer: Buyer, number: int) -> None:
            order = await bought(buyer, article)
            change = number % 3 + 1
            moment = change * STEP_SECONDS + dice.uniform(-1, 1) * LEFT_AND_RIGHT_SECONDS
            await asyncio.sleep(max(0.0, moment - age(order.body["created_at"])))
            # Nobody but an admin may stop a delivery.
            by = boss if change == 3 else buyer
            rivals = await asyncio.gather(*(by.cancel_surely(order.body["id"]) for _ in range(2)))
            answers = sorted(each.status for each in rivals)
            assert answers[0] in (200, 403, 409), answers
            assert answers[1] in (403, 409), answers
            won[answers[0]] += 1

        for first in range(0, count, len(crowd)):
            lives_now = (lives(buyer, first + n) for n, buyer in enumerate(crowd))
            await asyncio.gather(*lives_now)
        oracle = await assert_all_holds(shop, web, history)
    assert Counter(each["status"] for each in oracle.orders)["CANCELLED"] == won[200]
    return won


async def bought(buyer: Buyer, article: str) -> Operation:
    """An order of one unit, made directly: a user's own."""
    line = {"product_id": article, "quantity": 1, "price": 10.5}
    order = {"items": [line], "total": 10.5}
    return await surely(lambda: buyer.ask("place", "POST", "/order-api/orders/", json=order))


def age(created_at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(created_at)).total_seconds()


async def test_t35_an_order_is_its_owners(
    shop: Shop, web: aiohttp.ClientSession, history: History, figures: Figures
) -> None:
    [article] = await stocked(shop, web, history, 10)
    owner, other = await registered(shop, web, history, [name_of_a_user(), name_of_a_user()])
    order = (await bought(owner, article)).body
    path = f"/order-api/orders/{order['id']}"

    refused = [
        await other.ask("look", "GET", path),
        await other.cancel(order["id"]),
        await other.ask("set", "PUT", f"{path}/status?status=CANCELLED"),
    ]
    seen = await other.ask("list", "GET", "/order-api/orders/")
    oracle = await assert_all_holds(shop, web, history)

    assert [each.status for each in refused] == [403] * 3
    assert seen.body == []
    assert [each["status"] for each in oracle.orders] == ["CREATED"]
    figures("T35", refused=len(refused))
