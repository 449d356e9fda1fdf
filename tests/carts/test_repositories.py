"""What every store of carts promises."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from carts.domain import Cart, CartLine, CheckoutIntent, Product, RecentViews, View
from carts.repositories import CartRepository, MemoryCartRepository
from tests.carts.conftest import ON_CASSANDRA
from tests.carts.peers import NOON


@pytest.fixture(params=["memory", "journal", "reopened", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> CartRepository:
    found: CartRepository = request.getfixturevalue(request.param)
    return found


async def fill(repository: CartRepository, user: str, quantity: int = 1) -> CartLine:
    product = Product(uuid4(), "Лампа", Decimal("9.99"), 100)
    return await repository.change(user, lambda cart: cart.add(product, quantity))


async def begin(repository: CartRepository, user: str) -> CheckoutIntent:
    return await repository.change(user, lambda cart: cart.begin_checkout(uuid4(), now=NOON))


async def users(repository: CartRepository, after: str | None = None, limit: int = 10) -> list[str]:
    return [cart.user for cart in await repository.page(after=after, limit=limit)]


async def test_a_user_without_a_cart_has_an_empty_one(repository: CartRepository) -> None:
    assert await repository.cart("alice") == Cart("alice")


async def test_a_change_is_kept_whole(repository: CartRepository) -> None:
    line = await fill(repository, "alice", 3)
    intent = await begin(repository, "alice")

    cart = await repository.cart("alice")

    assert cart == Cart("alice", {line.product_id: line}, intent)


async def test_a_change_that_fails_leaves_nothing_behind(repository: CartRepository) -> None:
    await fill(repository, "alice")

    def clear_and_fail(cart: Cart) -> None:
        cart.clear()
        raise LookupError

    with pytest.raises(LookupError):
        await repository.change("alice", clear_and_fail)

    assert len((await repository.cart("alice")).lines) == 1


async def test_what_is_handed_out_is_a_snapshot(repository: CartRepository) -> None:
    await fill(repository, "alice")
    (await repository.cart("alice")).clear()
    (await repository.page(after=None, limit=1))[0].clear()

    assert len((await repository.cart("alice")).lines) == 1


async def test_lines_keep_the_order_in_which_they_were_added(repository: CartRepository) -> None:
    lines = [await fill(repository, "alice") for _ in range(5)]

    assert list((await repository.cart("alice")).lines.values()) == lines


async def test_carts_come_by_user_in_pages(repository: CartRepository) -> None:
    for user in ("carol", "alice", "bob"):
        await fill(repository, user)

    assert await users(repository, limit=2) == ["alice", "bob"]
    assert await users(repository, after="bob") == ["carol"]
    assert await users(repository, after="carol") == []


async def test_a_page_goes_on_behind_a_user_whose_cart_is_gone(repository: CartRepository) -> None:
    for user in ("alice", "bob", "carol"):
        await fill(repository, user)
    await repository.change("bob", Cart.clear)

    assert await users(repository, after="bob") == ["carol"]


async def test_only_carts_that_hold_something_are_counted(repository: CartRepository) -> None:
    await fill(repository, "alice")
    await fill(repository, "bob")
    await repository.change("bob", Cart.clear)
    await repository.change("carol", Cart.clear)

    assert await repository.count() == 1
    assert await users(repository) == ["alice"]


async def test_open_checkouts_are_found_even_of_emptied_carts(repository: CartRepository) -> None:
    await fill(repository, "alice")
    await fill(repository, "bob")
    intent = await begin(repository, "alice")
    await repository.change("alice", Cart.clear)

    assert await repository.open_intents() == [intent]


async def test_an_ended_checkout_is_not_open(repository: CartRepository) -> None:
    await fill(repository, "alice")
    intent = await begin(repository, "alice")
    await repository.change("alice", lambda cart: cart.take_bought(intent))

    assert await repository.open_intents() == []


async def test_nobody_has_looked_at_anything_at_first(repository: CartRepository) -> None:
    assert await repository.recent_views("alice") == RecentViews()


async def test_views_are_kept_for_each_user(repository: CartRepository) -> None:
    first, second = View(uuid4(), NOON), View(uuid4(), NOON + timedelta(seconds=1))
    await repository.record_view("alice", first)
    await repository.record_view("alice", second)
    await repository.record_view("bob", first)

    assert (await repository.recent_views("alice")).views == (second, first)
    assert (await repository.recent_views("bob")).views == (first,)


async def test_memory_forgets_the_views_of_who_looked_longest_ago() -> None:
    repository = MemoryCartRepository(viewers_limit=2)
    for user in ("alice", "bob", "alice", "carol"):
        await repository.record_view(user, View(uuid4(), NOON))

    assert await repository.recent_views("bob") == RecentViews()
    assert len((await repository.recent_views("alice")).views) == 2


async def test_memory_drops_a_cart_that_holds_nothing() -> None:
    repository = MemoryCartRepository()
    await fill(repository, "alice")
    await repository.change("alice", Cart.clear)

    assert repository._carts == {}
