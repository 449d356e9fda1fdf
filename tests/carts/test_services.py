"""What users do with their carts, with a catalog that may change, wait or be away."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from carts.domain import NotEnoughStock, TooManyLines, UnknownLine, UnknownProduct
from carts.services import CartService
from store.http import PeerAway, PeerRefused
from tests.carts.peers import (
    NOON,
    Behaviour,
    Clock,
    FakeCatalog,
    answers,
    answers_html,
    drops_the_connection,
    hangs,
    refuses_the_connection,
    times_out,
)


async def test_an_added_product_shows_name_and_price_of_the_catalog(
    carts: CartService, catalog: FakeCatalog
) -> None:
    product = catalog.has("Лампа", price="99.99")

    line = await carts.add("alice", product.id, quantity=3)

    assert (line.name, line.price, line.total) == ("Лампа", Decimal("99.99"), Decimal("299.97"))
    assert list((await carts.cart("alice")).lines.values()) == [line]


async def test_carts_of_two_users_are_two_carts(carts: CartService, catalog: FakeCatalog) -> None:
    await carts.add("alice", catalog.has().id, quantity=1)

    assert (await carts.cart("bob")).lines == {}


async def test_adding_counts_by_name(
    carts: CartService, catalog: FakeCatalog, grown: Callable[..., float]
) -> None:
    product = catalog.has("Counted lamp", stock_count=5)
    await carts.add("alice", product.id, quantity=3)
    with pytest.raises(NotEnoughStock):
        await carts.add("alice", product.id, quantity=3)

    assert grown("items_added_to_cart_total", product_name="Counted lamp") == 1


async def test_a_product_the_catalog_does_not_have_is_not_added(carts: CartService) -> None:
    with pytest.raises(UnknownProduct):
        await carts.add("alice", uuid4(), quantity=1)


async def test_a_quantity_is_changed_by_either_id_at_the_present_price(
    carts: CartService, catalog: FakeCatalog
) -> None:
    product = catalog.has(price="10")
    line = await carts.add("alice", product.id, quantity=1)
    catalog.products[product.id] = replace(product, price=Decimal(12))

    by_line = await carts.set_quantity("alice", line.id, quantity=2)
    by_product = await carts.set_quantity("alice", product.id, quantity=3)

    assert (by_line.id, by_line.total) == (line.id, Decimal(24))
    assert (by_product.id, by_product.total) == (line.id, Decimal(36))


async def test_changing_a_line_that_is_not_there_does_not_ask_the_catalog(
    carts: CartService, catalog: FakeCatalog
) -> None:
    with pytest.raises(UnknownLine):
        await carts.set_quantity("alice", catalog.has().id, quantity=1)

    assert catalog.asked == 0


async def test_a_quantity_beyond_the_stock_is_refused_and_the_line_stays(
    carts: CartService, catalog: FakeCatalog
) -> None:
    product = catalog.has(stock_count=3)
    await carts.add("alice", product.id, quantity=3)

    with pytest.raises(NotEnoughStock):
        await carts.set_quantity("alice", product.id, quantity=4)

    assert (await carts.cart("alice")).line(product.id).quantity == 3


async def test_a_line_of_a_deleted_product_can_only_be_removed(
    carts: CartService, catalog: FakeCatalog
) -> None:
    product = catalog.has()
    await carts.add("alice", product.id, quantity=1)
    catalog.products.clear()

    with pytest.raises(UnknownProduct):
        await carts.set_quantity("alice", product.id, quantity=2)
    await carts.remove("alice", product.id)

    assert (await carts.cart("alice")).lines == {}


async def test_many_adds_at_once_lose_nothing(carts: CartService, catalog: FakeCatalog) -> None:
    product = catalog.has(stock_count=100)
    adds = [carts.add("alice", product.id, quantity=2) for _ in range(50)]

    await asyncio.gather(*adds)

    assert (await carts.cart("alice")).line(product.id).quantity == 100


async def test_many_adds_at_once_do_not_exceed_the_stock(
    carts: CartService, catalog: FakeCatalog
) -> None:
    product = catalog.has(stock_count=10)
    adds = [carts.add("alice", product.id, quantity=3) for _ in range(8)]

    outcomes = await asyncio.gather(*adds, return_exceptions=True)

    assert sum(isinstance(outcome, NotEnoughStock) for outcome in outcomes) == 5
    assert (await carts.cart("alice")).line(product.id).quantity == 9


async def test_what_happens_while_the_catalog_is_asked_is_not_overwritten(
    carts: CartService, catalog: FakeCatalog
) -> None:
    kept, removed = catalog.has(), catalog.has()
    await carts.add("alice", removed.id, quantity=1)
    catalog.hold = asyncio.Event()
    adding = asyncio.create_task(carts.add("alice", kept.id, quantity=1))
    changing = asyncio.create_task(carts.set_quantity("alice", removed.id, quantity=5))
    await asyncio.sleep(0)

    await carts.remove("alice", removed.id)
    catalog.hold.set()

    assert (await adding).product_id == kept.id
    with pytest.raises(UnknownLine):
        await changing
    assert list((await carts.cart("alice")).lines) == [kept.id]


async def test_the_hundred_and_first_line_is_refused(
    carts: CartService, catalog: FakeCatalog
) -> None:
    for _ in range(100):
        await carts.add("alice", catalog.has().id, quantity=1)

    with pytest.raises(TooManyLines):
        await carts.add("alice", catalog.has().id, quantity=1)


@pytest.mark.parametrize(
    "behaviour",
    [
        refuses_the_connection,
        times_out,
        drops_the_connection,
        hangs,
        answers_html,
        answers(500, {}),
        answers(503, {}),
        answers(302, {}),
        answers(401, {"detail": "Bad token.", "code": "bad_token"}),
        answers(200, []),
        answers(200, {"name": "Лампа", "price": "1", "stock_count": 3}),
        answers(200, {"name": "Лампа", "price": 1, "stock_count": None}),
    ],
)
async def test_a_catalog_that_makes_no_sense_is_away_and_nothing_is_stored(
    carts: CartService, catalog: FakeCatalog, behaviour: Behaviour
) -> None:
    product = catalog.has()
    await carts.add("alice", product.id, quantity=1)
    catalog.behaviour = behaviour

    for call in (
        carts.add("alice", product.id, quantity=1),
        carts.set_quantity("alice", product.id, quantity=7),
        carts.record_view("alice", product.id),
    ):
        with pytest.raises(PeerAway):
            await call

    assert (await carts.cart("alice")).line(product.id).quantity == 1
    assert (await carts.recent_views("alice")).views == ()


async def test_what_the_catalog_says_about_the_request_is_passed_on(
    carts: CartService, catalog: FakeCatalog
) -> None:
    catalog.behaviour = answers(400, {"detail": "Odd.", "code": "odd"})

    with pytest.raises(PeerRefused) as refusal:
        await carts.add("alice", uuid4(), quantity=1)

    assert (refusal.value.status, refusal.value.body()["code"]) == (400, "odd")


async def test_the_rest_works_while_the_catalog_is_away(
    carts: CartService, catalog: FakeCatalog
) -> None:
    products = [catalog.has(), catalog.has()]
    for product in products:
        await carts.add("alice", product.id, quantity=1)
    await carts.record_view("alice", products[0].id)
    catalog.behaviour = refuses_the_connection

    await carts.remove("alice", products[0].id)
    await carts.clear("alice")

    assert (await carts.cart("alice")).lines == {}
    assert len((await carts.recent_views("alice")).views) == 1


async def test_a_view_is_remembered_with_its_time(
    carts: CartService, catalog: FakeCatalog, clock: Clock
) -> None:
    product = catalog.has()

    await carts.record_view("alice", product.id)

    (view,) = (await carts.recent_views("alice")).views
    assert (view.product_id, view.viewed_at) == (product.id, NOON)


async def test_a_view_of_an_unknown_product_is_not_remembered(carts: CartService) -> None:
    with pytest.raises(UnknownProduct):
        await carts.record_view("alice", uuid4())

    assert (await carts.recent_views("alice")).views == ()


async def test_carts_are_listed_by_user_and_say_whether_more_follow(
    carts: CartService, catalog: FakeCatalog
) -> None:
    for user in ("bob", "alice"):
        await carts.add(user, catalog.has().id, quantity=1)

    first, has_more = await carts.carts(limit=1)
    rest, has_still_more = await carts.carts(after="alice", limit=1)
    bobs, _ = await carts.carts(user="bob", limit=1)
    nobodys, _ = await carts.carts(user="nobody", limit=1)

    assert ([cart.user for cart in first], has_more) == (["alice"], True)
    assert ([cart.user for cart in rest], has_still_more) == (["bob"], False)
    assert ([cart.user for cart in bobs], nobodys) == (["bob"], [])
    assert await carts.count() == 2
