"""Bad answers, slow lines and false news between the services: T18, T19, T22."""

import asyncio
from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, registered, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.proxy import Answer, Passing, written_slowly
from tests.chaos.shop import Shop, client, name_of_a_user

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

NONSENSE = {
    "html": Answer(200, {"Content-Type": "text/html"}, b"<html>welcome</html>"),
    "truncated": Answer(201, {"Content-Type": "application/json"}, b'{"id": "7'),
    "50 MB": Answer(200, {"Content-Type": "application/json"}, b" " * 50_000_000),
    "wrong types": Answer(201, {"Content-Type": "application/json"}, b'{"items": "many", "id": 5}'),
    "redirect": Answer(302, {"Location": "http://127.0.0.1:9/"}, b""),
    "500": Answer(500, {}, b"Traceback"),
    "nothing": Answer(200, {}, b""),
}


@pytest.mark.parametrize("callee", ["orders", "catalog"])
async def test_t18_nonsense_of_a_peer_is_503_and_nothing_is_stored(
    shop: Shop, web: aiohttp.ClientSession, history: History, figures: Figures, callee: str
) -> None:
    [article] = await stocked(shop, web, history, 1000)
    for kind, nonsense in NONSENSE.items():
        buyer = Buyer(shop, web, history, name_of_a_user())
        await buyer.add_surely(article)
        method = {"orders": "POST", "catalog": "PUT"}[callee]

        async def speak(passing: Passing, *, said: Answer = nonsense, verb: str = method) -> Answer:
            if (passing.callee, passing.method) == (callee, verb):
                return said
            return await passing.forward()

        shop.proxy.rule = speak
        answer = await buyer.check_out(key="one")
        shop.proxy.heal()
        later = await buyer.check_out_surely(key="one")

        assert answer.status in (502, 503), kind
        assert later.status == 200, kind
    oracle = await assert_all_holds(shop, web, history)

    assert len(oracle.orders) == len(NONSENSE)
    figures(f"T18 {callee}", kinds=len(NONSENSE), orders=len(oracle.orders))


async def test_t19_a_slow_network_slows_buying_down_and_breaks_nothing(
    shop: Shop, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    dice, sent = Random(seed), Counter[str]()

    async def badly(passing: Passing) -> Any:
        if (passing.callee, passing.method) in [("orders", "POST"), ("catalog", "PUT")]:
            sent[passing.callee] += 1
        await asyncio.sleep(dice.uniform(0.1, 0.5) / 2)
        if dice.random() < 0.01:
            return passing.break_off()
        answer = await passing.forward()
        return await written_slowly(passing, answer, bytes_per_second=20_000)

    buyers = 500 if is_long else 100
    async with client() as web:
        [article] = await stocked(shop, web, history, 10_000)
        crowd = [Buyer(shop, web, history, name_of_a_user()) for _ in range(buyers)]
        shop.proxy.rule = badly

        async def buys(buyer: Buyer, delay: float) -> None:
            await asyncio.sleep(delay)
            await buyer.add_surely(article)
            await buyer.check_out_surely(key="one")

        await asyncio.gather(*(buys(each, n / 25) for n, each in enumerate(crowd)))
        await assert_all_holds(shop, web, history)
    answers = history.statuses("checkout")
    p99 = history.percentile("checkout", 0.99)

    why = Counter(
        (each.status, each.body["code"]) for each in history.of("checkout") if not each.is_ok
    )
    assert answers[200] >= 0.9 * sum(answers.values()), why
    assert max(sent.values()) <= 1.1 * buyers, sent
    assert p99 < 3
    figures("T19", buyers=buyers, attempts=dict(sent), p99=f"{p99:.2f} s")


async def test_t22_news_that_come_often_and_in_any_order_count_once(
    shop: Shop, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    dice = Random(seed)
    async with client() as web:
        [buyer] = await registered(shop, web, history, [name_of_a_user()])
        statuses = ["CREATED", "PROCESSING", "SHIPPING", "DELIVERED"]
        orders = [str(uuid4()) for _ in range(20)]
        news = [
            {
                "order_id": order,
                "user_id": buyer.name,
                "status": status,
                "updated_at": f"2026-01-01T00:00:0{version}Z",
                "total": 10.5,
                "version": version,
            }
            for order in orders
            for version, status in enumerate(statuses, start=1)
        ] * 5
        dice.shuffle(news)
        url = f"{shop.address('accounts')}/users/notify/order-status"
        gate = asyncio.Semaphore(10)

        async def tell(body: Any, headers: dict[str, str]) -> int:
            async with gate, web.post(url, json=body, headers=headers) as answer:
                return answer.status

        told = await asyncio.gather(
            *(tell(each, shop.service("orders", "accounts")) for each in news)
        )
        strangers = [{}, shop.user("alice"), shop.admin(), shop.service("orders", "catalog")]
        refused = [await tell(news[0] | {"total": 999.0}, each) for each in strangers]
        unsigned = shop.service("orders", "accounts")["Authorization"][:-43] + "A" * 43
        refused.append(await tell(news[0], {"Authorization": unsigned}))
        base = f"{shop.address('accounts')}/users/me"
        async with web.get(f"{base}/total-spent", headers=buyer.headers) as answer:
            spent = await answer.json()
        async with web.get(f"{base}/notifications", headers=buyer.headers) as answer:
            heard = await answer.json()

    assert {*told} <= {200, 204}
    assert {*refused} <= {401, 403}
    assert spent == {"total_spent": 210}
    last = {}
    for item in reversed(heard):
        last[item["order_id"]] = item["status"]
    assert last == dict.fromkeys(orders, "DELIVERED")
    assert max(Counter((each["order_id"], each["status"]) for each in heard).values()) == 1
    figures("T22", sent=len(news), orders=len(orders), strangers=len(refused))
