"""Keys, names and disks at their limits: T04, T06, T12."""

import asyncio
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
