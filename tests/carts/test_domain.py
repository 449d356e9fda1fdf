"""The rules of a cart."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from carts.domain import (
    MAX_LINES,
    MAX_QUANTITY,
    MAX_RECENT_VIEWS,
    Cart,
    EmptyCart,
    NotEnoughStock,
    Product,
    RecentViews,
    TooManyLines,
    TooMuchOfOne,
    UnknownLine,
    View,
    order_id_for,
)
from tests.carts.peers import NOON


def lamp(
    *, price: str = "99.99", stock_count: int = 5000, product_id: UUID | None = None
) -> Product:
    return Product(product_id or uuid4(), "Лампа", Decimal(price), stock_count)


def cart_with(*products: Product, quantity: int = 1) -> Cart:
    cart = Cart("alice")
    for product in products:
        cart.add(product, quantity)
    return cart


def test_a_line_costs_its_price_times_its_quantity_to_the_kopeck() -> None:
    cart = cart_with(lamp(price="99.99"), quantity=3)

    assert cart.total == Decimal("299.97")


def test_an_empty_cart_costs_nothing() -> None:
    assert Cart("alice").total == 0


def test_adding_a_product_again_raises_its_line() -> None:
    product = lamp()
    cart = cart_with(product, quantity=2)
    first = cart.line(product.id)

    second = cart.add(product, 3)

    assert (second.id, second.quantity, len(cart.lines)) == (first.id, 5, 1)


def test_adding_a_product_again_takes_its_present_name_and_price() -> None:
    product = lamp(price="10")
    cart = cart_with(product)

    line = cart.add(Product(product.id, "Lamp", Decimal(12), 10), 1)

    assert (line.name, line.price, line.total) == ("Lamp", Decimal(12), Decimal(24))


def test_a_line_never_exceeds_the_stock() -> None:
    product = lamp(stock_count=3)
    cart = cart_with(product, quantity=2)

    with pytest.raises(NotEnoughStock) as refusal:
        cart.add(product, 2)

    assert refusal.value.errors == {"quantity": ["Only 3 in stock."]}
    assert cart.line(product.id).quantity == 2


def test_a_line_takes_all_of_the_stock() -> None:
    assert cart_with(lamp(stock_count=3), quantity=3).total == Decimal("299.97")


def test_a_line_holds_at_most_a_thousand() -> None:
    product = lamp()
    cart = cart_with(product, quantity=MAX_QUANTITY)

    with pytest.raises(TooMuchOfOne):
        cart.add(product, 1)


def test_a_cart_holds_at_most_a_hundred_lines() -> None:
    products = [lamp() for _ in range(MAX_LINES)]
    cart = cart_with(*products)

    with pytest.raises(TooManyLines):
        cart.add(lamp(), 1)

    assert cart.add(products[0], 1).quantity == 2


def test_a_line_is_found_by_its_own_id_and_by_its_products() -> None:
    product = lamp()
    cart = cart_with(lamp(), product)

    by_product = cart.line(product.id)

    assert cart.line(by_product.id) == by_product


def test_a_line_that_is_not_there_is_unknown() -> None:
    with pytest.raises(UnknownLine):
        cart_with(lamp()).line(uuid4())


def test_a_quantity_is_changed_at_the_present_price() -> None:
    product = lamp(price="10")
    cart = cart_with(product)

    line = cart.set_quantity(product.id, lamp(price="12", product_id=product.id), 4)

    assert (line.price, line.quantity, cart.total) == (Decimal(12), 4, Decimal(48))


def test_a_line_is_removed_by_either_id() -> None:
    by_line, by_product = lamp(), lamp()
    cart = cart_with(by_line, by_product)

    cart.remove(cart.line(by_line.id).id)
    cart.remove(by_product.id)

    assert cart.lines == {}


def test_a_copy_is_changed_without_its_original() -> None:
    cart = cart_with(lamp())

    cart.copy().clear()

    assert len(cart.lines) == 1


def test_a_checkout_means_the_lines_as_they_are_shown_for_a_minute() -> None:
    cart = cart_with(lamp(price="10"), lamp(price="5"), quantity=2)
    order_id = uuid4()

    intent = cart.begin_checkout(order_id, now=NOON)

    assert intent.order_id == order_id
    assert intent.lines == tuple(cart.lines.values())
    assert (intent.total, intent.item_count) == (Decimal(30), 4)
    assert intent.valid_until == NOON + timedelta(seconds=60)


def test_an_empty_cart_is_not_checked_out() -> None:
    with pytest.raises(EmptyCart):
        Cart("alice").begin_checkout(uuid4(), now=NOON)


def test_a_second_checkout_joins_the_open_one_whatever_is_in_the_cart() -> None:
    cart = cart_with(lamp())
    first = cart.begin_checkout(uuid4(), now=NOON)
    cart.clear()

    assert cart.begin_checkout(uuid4(), now=NOON) is first


def test_what_was_bought_leaves_the_cart() -> None:
    cart = cart_with(lamp(), lamp())
    intent = cart.begin_checkout(uuid4(), now=NOON)

    assert cart.take_bought(intent)

    assert cart.is_forgettable


def test_a_line_added_during_the_checkout_stays() -> None:
    cart = cart_with(lamp())
    intent = cart.begin_checkout(uuid4(), now=NOON)
    later = cart.add(lamp(), 1)

    cart.take_bought(intent)

    assert list(cart.lines.values()) == [later]


def test_a_line_raised_during_the_checkout_keeps_the_rest() -> None:
    product = lamp()
    cart = cart_with(product, quantity=2)
    intent = cart.begin_checkout(uuid4(), now=NOON)
    cart.add(product, 3)

    cart.take_bought(intent)

    assert cart.line(product.id).quantity == 3


def test_a_line_lowered_during_the_checkout_is_gone_after_it() -> None:
    product = lamp()
    cart = cart_with(product, quantity=3)
    intent = cart.begin_checkout(uuid4(), now=NOON)
    cart.set_quantity(product.id, product, 1)

    cart.take_bought(intent)

    assert cart.lines == {}


def test_a_line_removed_and_added_anew_during_the_checkout_is_another_line_and_stays() -> None:
    product = lamp()
    cart = cart_with(product, quantity=2)
    intent = cart.begin_checkout(uuid4(), now=NOON)
    cart.remove(product.id)
    cart.add(product, 2)

    cart.take_bought(intent)

    assert cart.line(product.id).quantity == 2


def test_a_checkout_ends_once() -> None:
    product = lamp()
    cart = cart_with(product, quantity=2)
    intent = cart.begin_checkout(uuid4(), now=NOON)
    cart.add(product, 2)
    cart.take_bought(intent)

    assert not cart.take_bought(intent)
    assert not cart.close_checkout(intent)
    assert cart.line(product.id).quantity == 2


def test_a_closed_checkout_leaves_the_cart_as_it_is() -> None:
    cart = cart_with(lamp())
    intent = cart.begin_checkout(uuid4(), now=NOON)

    assert cart.close_checkout(intent)

    assert (len(cart.lines), cart.intent) == (1, None)


def test_repricing_changes_the_prices_that_are_named_and_nothing_else() -> None:
    dearer, same = lamp(price="10"), lamp(price="10")
    cart = cart_with(dearer, same)

    cart.reprice({dearer.id: Decimal(11), uuid4(): Decimal(1)})

    assert [line.price for line in cart.lines.values()] == [11, 10]


def test_a_cart_with_an_open_checkout_is_not_forgotten() -> None:
    cart = cart_with(lamp())
    cart.begin_checkout(uuid4(), now=NOON)
    cart.clear()

    assert not cart.is_forgettable


def test_an_idempotency_key_makes_one_order_id_for_each_user() -> None:
    assert order_id_for("alice", "k1") == order_id_for("alice", "k1")
    assert order_id_for("alice", "k1") != order_id_for("bob", "k1")
    assert order_id_for("alice", "k1") != order_id_for("alice", "k2")
    assert order_id_for("alice", None) != order_id_for("alice", None)


def seen(*product_ids: UUID, at: datetime = NOON) -> RecentViews:
    views = RecentViews()
    for minute, product_id in enumerate(product_ids):
        views = views.with_view(View(product_id, at + timedelta(minutes=minute)))
    return views


def test_recent_views_are_newest_first_and_each_product_once() -> None:
    first, second = uuid4(), uuid4()

    views = seen(first, second, first).views

    assert [view.product_id for view in views] == [first, second]
    assert views[0].viewed_at == NOON + timedelta(minutes=2)


def test_only_the_last_ten_views_are_kept() -> None:
    product_ids = [uuid4() for _ in range(MAX_RECENT_VIEWS + 1)]

    views = seen(*product_ids).views

    assert [view.product_id for view in views] == product_ids[:0:-1]
