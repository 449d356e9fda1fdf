"""The drill fails a shop that breaks its word: one guard is switched off at a time."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.conf import settings

from audit.drill import trials
from audit.drill.customers import Company, Door
from audit.drill.trials import Outcome, timed
from audit.drill.verdict import drill, last_word, shown
from audit.shop import Shop
from carts.domain import Cart
from catalog.domain import Reservation
from catalog.repositories import MemoryCatalog
from store import http
from tests.contract.world import World


@pytest.fixture
def door(world: World, shop: httpx.AsyncClient) -> Door:
    addresses = {name: f"http://shop{prefix}" for name, prefix in settings.PREFIXES.items()}
    return Door(shop, addresses)


@pytest.fixture
def peers(world: World) -> Shop:
    return Shop.of({name: http.peer(name, caller=name) for name in settings.PREFIXES})


async def test_a_good_shop_passes_and_nothing_is_left_for_sale(
    door: Door, peers: Shop, world: World
) -> None:
    outcomes = [outcome async for outcome in drill(door, peers, None)]

    assert [outcome.is_passed for outcome in outcomes] == [True] * 5
    assert (await world.get("/api/products/"))["total"] == 0
    assert {each["status"] for each in await world.get("/order-api/orders/")} == {"CANCELLED"}
    assert last_word(outcomes, asked_again=0, seconds=1).startswith("The shop keeps its word")


reserve = MemoryCatalog.reserve


async def without_counting(
    self: MemoryCatalog, order_id: UUID, user_id: str, quantities: Any, *, now: Any
) -> Reservation:
    """Makes what is asked for out of nothing."""
    for product, quantity in quantities.items():
        line = await self.stock(product)
        assert line is not None
        self._rebook(replace(line, available=line.available + quantity))
    return await reserve(self, order_id, user_id, quantities, now=now)


async def test_a_shop_that_sells_what_it_has_not_fails(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryCatalog, "reserve", without_counting)
    monkeypatch.setattr(trials, "BUYERS", 20)

    found = await timed("20 buyers", trials.last_unit(Company(door)))

    assert not found.is_passed
    assert found.found == "20 got it, 0 were told it is sold out, 1 left"


def an_intent_each(cart: Cart, order_id: Any, *, now: Any) -> Any:
    """Every click is a checkout of its own."""
    begun = begin(cart, uuid4(), now=now)
    cart.intent = None
    return begun


begin = Cart.begin_checkout


async def test_a_shop_that_makes_an_order_of_every_click_fails(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cart, "begin_checkout", an_intent_each)

    found = await timed("clicks", trials.many_clicks(Company(door), None))

    assert not found.is_passed
    assert not found.found.startswith("1 order")


async def test_a_shop_that_does_not_answer_fails(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.drill.customers.PATIENCE_SECONDS", 0.01)
    nowhere = replace(door, addresses=dict.fromkeys(door.addresses, "http://shop/api/nowhere"))

    found = await timed("nothing", trials.last_unit(Company(nowhere)))

    assert not found.is_passed
    assert "404" in found.found


def test_a_failure_is_shown_as_one() -> None:
    failed = Outcome("a trial", "nothing good", is_passed=False, seconds=1.25)

    assert "FAIL" in shown(failed)
    assert last_word([failed], asked_again=0, seconds=1).startswith("1 of 1 FAILED")
