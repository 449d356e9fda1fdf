"""Many buyers at once: T01, T02, T03, T05, T08, T20, T21."""

import asyncio
import time
from random import Random

import aiohttp
import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, registered, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.proxy import Answer, Passing
from tests.chaos.shop import Shop, client, name_of_a_user

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


async def the_last_ones(
    shop: Shop, history: History, *, buyers: int, stock: int, seed: int
) -> float:
    """``buyers`` want one unit each of ``stock``; gives the seconds of the rush."""
    async with client(connections=1000) as web:
        [product] = await stocked(shop, web, history, stock)
        crowd = [Buyer(shop, web, history, name_of_a_user()) for _ in range(buyers)]
        Random(seed).shuffle(crowd)
        gate = asyncio.Semaphore(200)

        async def fill(buyer: Buyer) -> None:
            async with gate:
                await buyer.add_surely(product)

        await asyncio.gather(*map(fill, crowd))
        began_at = time.monotonic()
        await asyncio.gather(*(buyer.check_out_surely(key="one") for buyer in crowd))
        seconds = time.monotonic() - began_at
        await assert_all_holds(shop, web, history)
    return seconds


async def test_t01_the_last_hundred_are_sold_once(
    fast_shop: Shop, seed: int, is_long: bool, figures: Figures
) -> None:
    seeds, buyers, slowest = (5, 10_000, 0.0) if is_long else (1, 2_000, 0.0)
    retried = 0
    for number in range(seeds):
        history = History()
        slowest = max(
            slowest,
            await the_last_ones(fast_shop, history, buyers=buyers, stock=100, seed=seed + number),
        )
        answers = history.statuses("checkout")
        retried += answers[503] + answers[0]

        assert (answers[200], answers[409]) == (100, buyers - 100), answers
        assert set(answers) <= {200, 409, 503, 0}
        assert slowest < 120
    figures(
        "T01", buyers=buyers, rounds=seeds, orders_each=100, seconds=f"{slowest:.1f}", again=retried
    )


async def test_t02_baskets_that_cross_neither_lock_nor_lose_anything(
    fast_shop: Shop, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    buyers, stock = (2_000, 500) if is_long else (400, 100)
    dice = Random(seed)
    async with client(connections=400) as web:
        products = await stocked(fast_shop, web, history, *[stock] * 10)

        async def fills_and_buys(buyer: Buyer) -> None:
            for product in dice.sample(products, 3):
                await buyer.add_surely(product)
            await buyer.check_out_surely(key="basket")

        crowd = [Buyer(fast_shop, web, history, name_of_a_user()) for _ in range(buyers)]
        await asyncio.gather(*map(fills_and_buys, crowd))
        oracle = await assert_all_holds(fast_shop, web, history)

        assert oracle.settled_after < 5
        await only_short_baskets_are_refused(history)
    answers = history.statuses("checkout")
    figures("T02", buyers=buyers, orders=answers[200], refused=answers[409])


async def only_short_baskets_are_refused(history: History) -> None:
    for each in history.of("checkout"):
        if each.status == 409:
            assert each.body["code"] == "insufficient_stock"
            assert each.body["errors"]


async def test_t03_fifty_clicks_are_one_order(
    fast_shop: Shop, web: aiohttp.ClientSession, history: History, figures: Figures
) -> None:
    [product] = await stocked(fast_shop, web, history, 1000)
    users = 5
    for number in range(users):
        buyer = Buyer(fast_shop, web, history, name_of_a_user())
        await buyer.add(product)
        with_key = await asyncio.gather(*(buyer.check_out(key="one") for _ in range(50)))
        await buyer.add(product)
        without = await asyncio.gather(*(buyer.check_out() for _ in range(50)))

        assert {each.status for each in with_key} <= {200, 409, 503}
        assert len({each.body["id"] for each in with_key if each.is_ok}) == 1, number
        assert {each.status for each in without} <= {200, 400, 409, 503}
        assert len({each.body["id"] for each in without if each.is_ok}) == 1
    oracle = await assert_all_holds(fast_shop, web, history)

    assert len(oracle.orders) == 2 * users
    figures("T03", users=users, clicks=100 * users, orders=len(oracle.orders))


async def test_t05_what_is_added_during_a_checkout_stays_in_the_cart(
    shop: Shop, web: aiohttp.ClientSession, history: History, figures: Figures
) -> None:
    bought, added = await stocked(shop, web, history, 100, 100)
    is_held = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def hold_the_order(passing: Passing) -> Answer:
        if (passing.callee, passing.method) == ("orders", "POST"):
            answer = await passing.forward()
            loop.call_soon_threadsafe(is_held.set)
            await asyncio.sleep(0.8)
            return answer
        return await passing.forward()

    rounds = 5
    for _ in range(rounds):
        is_held.clear()
        buyer = Buyer(shop, web, history, name_of_a_user())
        await buyer.add(bought)
        shop.proxy.rule = hold_the_order
        checkout = asyncio.create_task(buyer.check_out())
        await is_held.wait()
        raised, new = await asyncio.gather(buyer.add(bought, 2), buyer.add(added))
        order = await checkout
        shop.proxy.heal()

        assert (raised.status, new.status, order.status) == (200, 200, 200)
        assert [item["quantity"] for item in order.body["items"]] == [1]
    await assert_all_holds(shop, web, history)
    figures("T05", rounds=rounds)


async def test_t08_orders_that_are_cancelled_at_once_give_everything_back(
    fast_shop: Shop, history: History, is_long: bool, figures: Figures
) -> None:
    users, rounds = (20, 50) if is_long else (20, 8)
    async with client() as web:
        [product] = await stocked(fast_shop, web, history, 100)
        crowd = await registered(fast_shop, web, history, [name_of_a_user() for _ in range(users)])

        async def buys_and_cancels(buyer: Buyer) -> None:
            for number in range(rounds):
                await buyer.add_surely(product)
                order = await buyer.check_out_surely(key=f"{number}")
                await buyer.cancel_surely(order.body["id"])

        await asyncio.gather(*map(buys_and_cancels, crowd))
        oracle = await assert_all_holds(fast_shop, web, history)

    assert {order["status"] for order in oracle.orders} == {"CANCELLED"}
    figures("T08", users=users, orders=len(oracle.orders), settled=f"{oracle.settled_after:.1f} s")


async def test_t20_an_order_whose_answer_is_lost_is_one_order(
    shop: Shop, web: aiohttp.ClientSession, history: History, is_long: bool, figures: Figures
) -> None:
    [product] = await stocked(shop, web, history, 1000)
    lost = set[bytes]()

    async def lose_the_first_answer(passing: Passing) -> Answer:
        answer = await passing.forward()
        if passing.method == "POST" and passing.path == "/orders/" and passing.body not in lost:
            lost.add(passing.body)
            return passing.break_off()  # type: ignore[return-value]
        return answer

    shop.proxy.rule = lose_the_first_answer
    crowd = [Buyer(shop, web, history, name_of_a_user()) for _ in range(200 if is_long else 40)]

    async def buys(buyer: Buyer) -> None:
        await buyer.add(product)
        await buyer.check_out_surely(key="one")

    await asyncio.gather(*map(buys, crowd))
    oracle = await assert_all_holds(shop, web, history)

    assert len(oracle.orders) == len(lost) == len(crowd)
    figures("T20", answers_lost=len(lost), orders=len(oracle.orders))


async def test_t21_a_client_that_hangs_up_leaves_a_whole_order_or_a_whole_cart(
    shop: Shop, web: aiohttp.ClientSession, history: History, seed: int, figures: Figures
) -> None:
    [product] = await stocked(shop, web, history, 1000)
    doors = [f"{shop.url}/cart-api", shop.address("carts")]
    dice, cut = Random(seed), 0
    for url in doors:
        for step in range(10):
            buyer = Buyer(shop, web, history, name_of_a_user())
            await buyer.add(product)
            patience = 0.0005 + step * 0.002 * dice.random()
            cut += await hangs_up(url, buyer.headers, patience)
            await buyer.check_out_surely(key="one")
    oracle = await assert_all_holds(shop, web, history)

    assert len(oracle.orders) == 20
    figures("T21", cut_off=cut, orders=len(oracle.orders))


async def hangs_up(url: str, headers: dict[str, str], patience: float) -> bool:
    """Whether the client left before its answer."""
    asking = aiohttp.ClientTimeout(total=patience)
    async with client() as web:
        try:
            headers = headers | {"Idempotency-Key": "one"}
            async with web.post(f"{url}/cart/checkout", headers=headers, timeout=asking) as answer:
                await answer.read()
        except TimeoutError:
            return True
    return False
