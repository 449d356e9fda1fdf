"""Each check again, on a shop whose guard is switched off: it has to fail there."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.chaos import test_buying, test_killing, test_network, test_overload, test_rules
from tests.chaos.conftest import Figures, on_cassandra
from tests.chaos.crowd import Wave, send
from tests.chaos.history import Buyer, History, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.shop import Shop, client, name_of_a_user, shop_under_fire

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

SEED = 1


async def the_last_ten(shop: Shop) -> None:
    history = History()
    await test_buying.the_last_ones(shop, history, buyers=40, stock=10, seed=SEED)


async def fifty_clicks(shop: Shop) -> None:
    async with client() as web:
        await test_buying.test_t03_fifty_clicks_are_one_order(shop, web, History(), Figures(SEED))


async def forged_news(shop: Shop) -> None:
    await test_network.test_t22_news_that_come_often_and_in_any_order_count_once(
        shop, History(), SEED, is_long=False, figures=Figures(SEED)
    )


async def a_service_that_hangs(shop: Shop) -> None:
    await test_killing.test_t16_a_service_that_hangs_is_left_alone_and_has_no_late_effect(
        shop, History(), is_long=False, figures=Figures(SEED), victim="catalog"
    )


async def killed_after_the_answer(shop: Shop) -> None:
    """T10 in one order: what was acknowledged is there after a kill."""
    history = History()
    async with client() as web:
        [article] = await stocked(shop, web, history, 10)
        buyer = Buyer(shop, web, history, name_of_a_user())
        await buyer.add_surely(article)
        await buyer.check_out_surely(key="one")
        await shop.is_back("orders", killed=shop.kill("orders"))
        await assert_all_holds(shop, web, history)


async def lost_news(shop: Shop) -> None:
    """T17 in one order: what accounts did not hear at once it hears later."""
    history = History()
    async with client() as web:
        [article] = await stocked(shop, web, history, 10)
        [buyer] = await test_buying.registered(shop, web, history, [name_of_a_user()])

        async def deaf(passing: test_network.Passing) -> test_network.Answer:
            if passing.callee == "accounts":
                return test_network.Answer(503, {"Retry-After": "1"}, b"")
            return await passing.forward()

        shop.proxy.rule = deaf
        await buyer.add_surely(article)
        await buyer.check_out_surely(key="one")
        shop.proxy.heal()
        await assert_all_holds(shop, web, history)


async def cancelled_twice_at_once(shop: Shop) -> None:
    await test_rules.cancelled_on_the_hour(shop, History(), count=30, seed=SEED)


async def anothers_order(shop: Shop) -> None:
    async with client() as web:
        await test_rules.test_t35_an_order_is_its_owners(shop, web, History(), Figures(SEED))


async def a_crowd_at_the_door(shop: Shop) -> None:
    async with client() as web:
        [article] = await stocked(shop, web, History(), 100_000)
    port, requests = shop.trial.layout.ports["gateway"], test_overload.orders_for(shop, article)
    await send(Wave(port, requests, 2.0, at_once=100))
    assert shop.metric("orders", "requests_shed_total") > 0


CHECKS: dict[str, Callable[[Shop], Awaitable[None]]] = {
    "stock": the_last_ten,
    "idempotency": fifty_clicks,
    "signature": forged_news,
    "breaker": a_service_that_hangs,
    "journal": killed_after_the_answer,
    "outbox": lost_news,
    "version": cancelled_twice_at_once,
    "owner": anothers_order,
    "crowding": a_crowd_at_the_door,
}
SETTINGS = {
    "version": test_rules.STEPS | test_rules.ENDS,
    "crowding": {"MAX_REQUESTS_IN_FLIGHT": "8"},
}


@pytest.mark.parametrize("guard", CHECKS)
async def test_without_its_guard_the_check_fails(
    tmp_path: Path, guard: str, figures: Figures
) -> None:
    if guard == "stock" and on_cassandra():
        pytest.skip("this guard is the embedded store's")
    failed = pytest.raises((AssertionError, TimeoutError))
    settings = SETTINGS.get(guard, {})
    with shop_under_fire(tmp_path, without=guard, **settings) as shop, failed as found:
        await CHECKS[guard](shop)
    figures(f"without {guard}", found=str(found.value).splitlines()[0])


@pytest.mark.parametrize("guard", ["stock", "journal", "outbox"])
async def test_with_it_the_same_check_holds(shop: Shop, guard: str) -> None:
    """The short ones that are no check of their own."""
    await CHECKS[guard](shop)
