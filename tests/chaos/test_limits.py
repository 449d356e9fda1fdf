"""Keys, names, crowds and disks at their limits: T04, T06, T12, T24."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.shop import Shop, client, name_of_a_user, shop_under_fire

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


async def test_t04_a_key_means_one_request_of_one_user(
    shop: Shop, web: aiohttp.ClientSession, history: History, figures: Figures
) -> None:
    [article, rare] = await stocked(shop, web, history, 100, 1)
    first, other, late = (Buyer(shop, web, history, name_of_a_user()) for _ in range(3))
    path, url = "/order-api/orders/", {"call": "place", "method": "POST"}
    line = {"product_id": rare, "quantity": 1, "price": 10.5}
    order = {"items": [line], "total": 10.5}

    empty = await first.check_out(key="k")
    await first.add(article)
    after_400 = await first.check_out(key="k")
    bad = await first.check_out(key="k" * 300)
    placed = await other.ask(**url, path=path, key="p", json=order)
    replayed = await other.ask(**url, path=path, key="p", json=order)
    reused = await other.ask(
        **url, path=path, key="p", json={"items": [line | {"quantity": 2}], "total": 21}
    )
    refused = await late.ask(**url, path=path, key="p", json=order)
    refused_again = await late.ask(**url, path=path, key="p", json=order)

    assert (empty.status, after_400.status, bad.status) == (400, 200, 400)
    assert (placed.status, reused.status) == (201, 422)
    assert placed.body["id"] == replayed.body["id"]
    assert (refused.status, refused_again.status) == (409, 409)
    assert refused.body == refused_again.body
    figures("T04", cases=9)


async def test_t06_a_name_is_given_once(
    shop: Shop, web: aiohttp.ClientSession, figures: Figures
) -> None:
    name, rounds = name_of_a_user(), 3
    url = f"{shop.url}/user-api"

    async def register(number: int, round_of: str) -> tuple[int, str]:
        spelled = round_of.upper() if number % 2 else round_of
        password = f"a password {number}"
        person = {"username": spelled, "full_name": "A", "phone": "+7 999 000-00-00"}
        async with web.post(f"{url}/users/register", json=person | {"password": password}) as said:
            return said.status, password

    async def logs_in(username: str, password: str) -> bool:
        async with web.post(
            f"{url}/token", json={"username": username, "password": password}
        ) as said:
            return said.status == 200

    for number in range(rounds):
        wanted = f"{name}_{number}"
        answers = await asyncio.gather(*(register(each, wanted) for each in range(40)))
        winners = [password for status, password in answers if status == 201]
        losers = [password for status, password in answers if status != 201]

        assert {status for status, _ in answers} <= {201, 400, 503}
        assert len(winners) == 1
        assert await logs_in(wanted, winners[0]) or await logs_in(wanted.upper(), winners[0])
        assert not await logs_in(wanted, losers[0])
    figures("T06", names=rounds, attempts=40 * rounds)


async def test_t12_half_a_record_at_the_end_is_no_record_and_nothing_before_it_is_lost(
    tmp_path: Path, history: History, figures: Figures
) -> None:
    with shop_under_fire(tmp_path, direct=True) as shop:
        async with client() as web:
            [article] = await stocked(shop, web, history, 100)
            crowd = [Buyer(shop, web, history, name_of_a_user()) for _ in range(20)]
            for buyer in crowd:
                await buyer.add_surely(article)
                await buyer.check_out_surely(key="one")
            killed = shop.kill("orders")
            log = max((tmp_path / "data" / "orders").glob("log-*"))
            torn = tear(log)
            await shop.is_back("orders", killed=killed)
            oracle = await assert_all_holds(shop, web, history)

    assert len(oracle.orders) == len(crowd)
    figures("T12 torn tail", orders=len(oracle.orders), bytes_torn=torn)


def tear(log: Path) -> int:
    """Puts the beginning of a record behind the last whole one, as a crash does."""
    content = log.read_bytes()
    end = len(content.rstrip(b"\0"))
    half = content[:end][-60:-20]
    with log.open("r+b") as file:
        file.seek(end)
        file.write(half)
    return len(half)


async def test_t24_past_its_capacity_the_shop_says_no_quickly_and_goes_on_selling(
    tmp_path: Path, history: History, is_long: bool, figures: Figures
) -> None:
    seconds = 60.0 if is_long else 5.0
    with shop_under_fire(tmp_path, direct=True, MAX_REQUESTS_IN_FLIGHT="64") as shop:
        async with client(connections=1000) as web:
            [article] = await stocked(shop, web, history, 1_000_000)
            buyer = Buyer(shop, web, history, name_of_a_user())
            await buyer.add(article)
            peak, *_ = await crowd_of(shop, web, buyer, article, size=32, seconds=seconds)
            rate, shed, slowest_probe = await crowd_of(
                shop, web, buyer, article, size=500, seconds=seconds
            )
            calm, *_ = await crowd_of(shop, web, buyer, article, size=32, seconds=seconds)

    assert shed > 0
    # The machine of a short run has other work, too.
    assert rate >= (0.8 if is_long else 0.5) * peak
    assert calm >= 0.5 * peak
    assert slowest_probe < 2
    figures(
        "T24",
        peak=f"{peak:.0f}/s",
        crowded=f"{rate:.0f}/s",
        shed=shed,
        afterwards=f"{calm:.0f}/s",
        slowest_probe=f"{slowest_probe * 1000:.0f} ms",
    )


async def crowd_of(
    shop: Shop, web: aiohttp.ClientSession, buyer: Buyer, article: str, *, size: int, seconds: float
) -> tuple[float, int, float]:
    """Good answers a second, answers 503, and the slowest look at the health of carts."""
    ends_at, good, shed, slowest = time.monotonic() + seconds, 0, 0, 0.0
    # Something that asks another service: what needs nobody is done before it can be in the way.
    url = f"{shop.address('carts')}/cart/items/{article}"

    async def asks() -> None:
        nonlocal good, shed
        while time.monotonic() < ends_at:
            async with web.put(url, json={"quantity": 1}, headers=buyer.headers) as answer:
                await answer.read()
            good += answer.status == 200
            shed += answer.status == 503
            if answer.status == 503:
                await asyncio.sleep(0.2)

    async def probes() -> None:
        nonlocal slowest
        while time.monotonic() < ends_at:
            asked_at = time.monotonic()
            async with web.get(f"{shop.address('carts')}/health") as answer:
                assert answer.status == 200
            slowest = max(slowest, time.monotonic() - asked_at)
            await asyncio.sleep(0.1)

    await asyncio.gather(probes(), *(asks() for _ in range(size)))
    return good / seconds, shed, slowest
