"""Processes that are killed, paused and started again: T09, T10, T11, T16, T17, T46."""

import asyncio
import os
import signal
import time
from collections import Counter
from itertools import cycle, product
from pathlib import Path
from random import Random

import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, registered, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.proxy import Answer, Passing, Rule
from tests.chaos.shop import Shop, client, name_of_a_user, shop_under_fire

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

# Who calls whom in a checkout, and by what the proxy knows the message.
MESSAGES = {
    "place": ("carts", "orders", "POST", "/orders/"),
    "reserve": ("orders", "catalog", "PUT", "/reservations/"),
    "sold": ("orders", "catalog", "POST", "/reservations/"),
    "notify": ("orders", "accounts", "POST", "/users/notify/"),
}
# Before the callee has it, or after the callee did it and before the caller knows.
POINTS = list(product(MESSAGES, ("before", "after"), ("caller", "callee")))


def killing_at(shop: Shop, message: str, when: str, victim: str, killed: dict[str, int]) -> Rule:
    """Kills once, at this message; ``killed`` gets the pid by service."""
    caller, callee, method, path = MESSAGES[message]
    doomed = caller if victim == "caller" else callee

    async def rule(passing: Passing) -> Answer:
        is_it = (passing.callee, passing.method) == (callee, method)
        if killed or not is_it or not passing.path.startswith(path):
            return await passing.forward()
        killed[doomed] = 0
        if when == "after":
            answer = await passing.forward()
        killed[doomed] = await asyncio.to_thread(shop.kill, doomed)
        return answer if when == "after" else await passing.forward()

    return rule


async def test_t09_killed_at_every_message_of_a_checkout(
    shop: Shop, history: History, is_long: bool, figures: Figures
) -> None:
    rounds, kills, slowest = (20 if is_long else 1), Counter[str](), 0.0
    async with client(seconds=30) as web:
        [article] = await stocked(shop, web, history, 100_000)
        names = [name_of_a_user() for _ in range(rounds * len(POINTS))]
        crowd = iter(await registered(shop, web, history, names))
        for message, when, victim in POINTS * rounds:
            killed: dict[str, int] = {}
            buyer = next(crowd)
            await buyer.add_surely(article)
            shop.proxy.rule = killing_at(shop, message, when, victim, killed)
            order = await buyer.check_out_surely(key="one")
            again = await buyer.check_out_surely(key="one")
            await asyncio.to_thread(shop.trial.wait_until, lambda k=killed: any(k.values()))
            [(service, pid)] = killed.items()
            slowest = max(slowest, await shop.is_back(service, killed=pid))
            shop.proxy.heal()
            kills[service] += 1

            wrong = [each.status for each in (order, again) if each.status != 200]
            assert wrong == [], (message, when, victim, *map(shop.who_said, wrong))
            assert order.body["id"] == again.body["id"], (message, when, victim)
        oracle = await assert_all_holds(shop, web, history)

    assert len(oracle.orders) == rounds * len(POINTS)
    figures(
        "T09", points=len(POINTS), rounds=rounds, kills=dict(kills), back_within=f"{slowest:.1f} s"
    )


async def test_t10_killed_at_random_under_load(
    shop: Shop, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    seconds, pause, rate = (60, 10.0, 50) if is_long else (16, 4.0, 25)
    dice, kills, back = Random(seed), Counter[str](), []
    victims = cycle(dice.sample(["catalog", "carts", "orders", "accounts"], 4))
    async with client(seconds=30) as web:
        products = await stocked(shop, web, history, *[100_000] * 4)
        crowd = await registered(shop, web, history, [name_of_a_user() for _ in range(rate)])
        ends_at = time.monotonic() + seconds

        async def keeps_buying(buyer: Buyer, mine: Random) -> None:
            number = 0
            while time.monotonic() < ends_at:
                article, number = mine.choice(products), number + 1
                await buyer.add_surely(article)
                await buyer.check_out_surely(key=f"{number}")
                await asyncio.sleep(mine.random() * 2)

        async def keeps_killing() -> None:
            while time.monotonic() + pause < ends_at:
                await asyncio.sleep(pause * dice.random())
                victim = next(victims)
                killed = shop.kill(victim)
                kills[victim] += 1
                back.append(await shop.is_back(victim, killed=killed))

        buying = (keeps_buying(each, Random(f"{seed} {n}")) for n, each in enumerate(crowd))
        await asyncio.gather(keeps_killing(), *buying)
        oracle = await assert_all_holds(shop, web, history)
    figures(
        "T10",
        kills=dict(kills),
        seconds=seconds,
        orders=len(oracle.orders),
        again=sum(each.is_unknown for each in history.operations),
        back_within=f"{max(back):.1f} s",
    )


async def test_t11_orders_in_flight_survive_a_restart(
    tmp_path: Path, history: History, is_long: bool, figures: Figures
) -> None:
    count, down = (1000, 30.0) if is_long else (200, 3.0)
    delays = {"ORDER_PROCESSING_DELAY": "4", "ORDER_SHIPPING_DELAY": "4"}
    ends = {"ORDER_DELIVERY_MIN": "4", "ORDER_DELIVERY_MAX": "6"}
    with shop_under_fire(tmp_path, direct=True, **delays, **ends) as shop:
        async with client() as web:
            [article] = await stocked(shop, web, history, count)
            crowd = await registered(shop, web, history, [name_of_a_user() for _ in range(20)])

            async def buys(buyer: Buyer) -> None:
                for number in range(count // len(crowd)):
                    await buyer.add_surely(article)
                    await buyer.check_out_surely(key=f"{number}")

            await asyncio.gather(*map(buys, crowd))
            killed = await killed_for(shop, "orders", down)
            back = await shop.is_back("orders", killed=killed)
            await asyncio.to_thread(
                shop.trial.wait_until,
                lambda: shop.metric("orders", "orders_in_status", status="DELIVERED") == count,
                seconds=60,
            )
            oracle = await assert_all_holds(shop, web, history)

    assert {order["status"] for order in oracle.orders} == {"DELIVERED"}
    figures("T11", orders=count, down=f"{down} s", back_within=f"{back:.1f} s")


async def killed_for(shop: Shop, service: str, seconds: float) -> int:
    """Kills whatever is started in its place, too, until the time is over."""
    ends_at, killed = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        pid = await asyncio.to_thread(shop.trial.pid, service)
        if pid not in (0, killed):
            os.kill(pid, signal.SIGKILL)
            killed = pid
        await asyncio.sleep(0.05)
    return killed


@pytest.mark.parametrize("victim", ["catalog", "orders"])
async def test_t16_a_service_that_hangs_is_left_alone_and_has_no_late_effect(
    shop: Shop, history: History, is_long: bool, figures: Figures, victim: str
) -> None:
    caller = {"catalog": "carts", "orders": "carts"}[victim]
    async with client(seconds=30) as web:
        [article] = await stocked(shop, web, history, 1000)
        crowd = [Buyer(shop, web, history, name_of_a_user()) for _ in range(60)]
        for buyer in crowd:
            await buyer.add_surely(article)
        shop.kill(victim, signal.SIGSTOP)
        ask = Buyer.add if victim == "catalog" else None
        meanwhile = await asyncio.gather(
            *(b.add(article) if ask else b.check_out(key="one") for b in crowd[:40])
        )
        is_open = shop.metric(caller, "peer_circuit_open", peer=victim)
        fast = [await (b.add(article) if ask else b.check_out(key="one")) for b in crowd[40:]]
        await asyncio.sleep(15 if is_long else 1)
        shop.kill(victim, signal.SIGCONT)
        for buyer in crowd:
            await buyer.check_out_surely(key="one")
        oracle = await assert_all_holds(shop, web, history)

    assert {each.status for each in meanwhile} == {503}
    assert max(each.seconds for each in meanwhile) < 7
    assert is_open == 1
    typical = sorted(each.seconds for each in fast)[len(fast) // 2]
    assert typical < 0.25
    assert len(oracle.orders) == len(crowd)
    figures(
        f"T16 {victim}", callers=len(crowd), fails_in=f"{typical * 1000:.0f} ms", orders=len(crowd)
    )


async def test_t17_orders_go_on_while_accounts_is_away_and_it_hears_all_of_it_later(
    tmp_path: Path, history: History, is_long: bool, figures: Figures
) -> None:
    count, down = (200, 60.0) if is_long else (60, 8.0)
    delays = {"ORDER_PROCESSING_DELAY": "2", "ORDER_SHIPPING_DELAY": "2"}
    with shop_under_fire(tmp_path, direct=True, **delays) as shop:
        async with client() as web:
            [article] = await stocked(shop, web, history, count)
            crowd = await registered(shop, web, history, [name_of_a_user() for _ in range(count)])

            async def buys(buyer: Buyer) -> None:
                await buyer.add_surely(article)
                await buyer.check_out_surely(key="one")

            _, killed = await asyncio.gather(
                asyncio.gather(*map(buys, crowd)), killed_for(shop, "accounts", down)
            )
            shipping = shop.metric("orders", "orders_in_status", status="SHIPPING")
            await shop.is_back("accounts", killed=killed)
            oracle = await assert_all_holds(shop, web, history)

    assert shipping == count
    figures("T17", orders=count, down=f"{down} s", settled=f"{oracle.settled_after:.1f} s")


async def test_t46_a_rolling_restart_loses_and_doubles_nothing(
    fast_shop: Shop, history: History, figures: Figures
) -> None:
    async with client(seconds=30) as web:
        [article] = await stocked(fast_shop, web, history, 100_000)
        crowd = await registered(fast_shop, web, history, [name_of_a_user() for _ in range(20)])
        stop, slowest = asyncio.Event(), 0.0

        async def keeps_buying(buyer: Buyer) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                await buyer.add_surely(article)
                await buyer.check_out_surely(key=f"{number}")
                await asyncio.sleep(0.4)

        load = asyncio.gather(*map(keeps_buying, crowd))
        for service in ("catalog", "carts", "orders", "accounts"):
            told = fast_shop.kill(service, signal.SIGTERM)
            slowest = max(slowest, await fast_shop.is_back(service, killed=told))
        stop.set()
        await load
        oracle = await assert_all_holds(fast_shop, web, history)

    assert slowest < 25
    refused = sum(each.is_unknown for each in history.operations)
    figures(
        "T46",
        orders=len(oracle.orders),
        again=f"{refused} of {len(history.operations)}",
        replaced_within=f"{slowest:.1f} s",
    )
