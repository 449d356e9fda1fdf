"""A cart, whatever is done to it, behaves like a dictionary of quantities and an order book."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from carts.domain import (
    Cart,
    CartLine,
    CheckoutIntent,
    EmptyCart,
    NotEnoughStock,
    Product,
    TooMuchOfOne,
    UnknownLine,
)
from store.errors import ShopError
from tests.carts.peers import NOON

PRODUCT_IDS = [uuid4() for _ in range(4)]
STOCK = 1500

places = st.integers(0, len(PRODUCT_IDS) - 1)
quantities = st.integers(1, 1000)
kopecks = st.integers(1, 10_000)


class CartMachine(RuleBasedStateMachine):
    """The model: how many of each product, at which price, and what the open checkout took."""

    def __init__(self) -> None:
        super().__init__()
        self.cart = Cart("alice")
        self.wanted: dict[UUID, int] = {}
        self.prices = dict.fromkeys(PRODUCT_IDS, Decimal("9.99"))
        self.stock = dict.fromkeys(PRODUCT_IDS, STOCK)
        self.shown: dict[UUID, Decimal] = {}
        self.intent: CheckoutIntent | None = None
        self.being_bought: dict[UUID, int] = {}
        self.added = self.dropped = self.bought = 0

    @rule(place=places, price=kopecks, stock=st.integers(0, STOCK))
    def the_catalog_changes(self, place: int, price: int, stock: int) -> None:
        self.prices[PRODUCT_IDS[place]] = Decimal(price) / 100
        self.stock[PRODUCT_IDS[place]] = stock

    @rule(place=places, quantity=quantities)
    def add(self, place: int, quantity: int) -> None:
        product = self._product(place)
        whole = self.wanted.get(product.id, 0) + quantity
        if self._refuses(whole, product, partial(self.cart.add, product, quantity)):
            return
        assert self.cart.line(product.id).quantity == whole
        self._note(product, whole)

    @rule(place=places, quantity=quantities)
    def set_quantity(self, place: int, quantity: int) -> None:
        product = self._product(place)
        change = partial(self.cart.set_quantity, product.id, product, quantity)
        if product.id not in self.wanted:
            with pytest.raises(UnknownLine):
                change()
        elif not self._refuses(quantity, product, change):
            self._note(product, quantity)

    @rule(place=places)
    def remove(self, place: int) -> None:
        product_id = PRODUCT_IDS[place]
        if product_id not in self.wanted:
            with pytest.raises(UnknownLine):
                self.cart.remove(product_id)
            return
        self.cart.remove(self.cart.line(product_id).id)
        self._drop(product_id)

    @rule()
    def clear(self) -> None:
        self.cart.clear()
        for product_id in list(self.wanted):
            self._drop(product_id)

    @rule()
    def begin_checkout(self) -> None:
        if self.intent is not None:
            assert self.cart.begin_checkout(uuid4(), now=NOON + timedelta(1)) == self.intent
        elif not self.wanted:
            with pytest.raises(EmptyCart):
                self.cart.begin_checkout(uuid4(), now=NOON)
        else:
            self.intent = self.cart.begin_checkout(uuid4(), now=NOON)
            self.being_bought = dict(self.wanted)
            assert self.intent.quantities == self.wanted

    @precondition(lambda self: self.intent is not None)
    @rule()
    def the_order_exists(self) -> None:
        assert self.intent is not None
        assert self.cart.take_bought(self.intent)
        for product_id, quantity in self.being_bought.items():
            taken = min(quantity, self.wanted[product_id])
            self.bought += taken
            self.wanted[product_id] -= taken
            if not self.wanted[product_id]:
                del self.wanted[product_id], self.shown[product_id]
        self._end()

    @precondition(lambda self: self.intent is not None)
    @rule()
    def the_order_is_refused_for_its_prices(self) -> None:
        assert self.intent is not None
        assert self.cart.close_checkout(self.intent)
        self.cart.reprice(self.prices)
        self.shown = {product_id: self.prices[product_id] for product_id in self.wanted}
        self._end()

    @invariant()
    def it_holds_what_is_wanted(self) -> None:
        held = {line.product_id: line.quantity for line in self.cart.lines.values()}
        assert held == self.wanted
        assert self.cart.is_forgettable == (not self.wanted and self.intent is None)

    @invariant()
    def its_total_is_the_sum_of_its_lines_to_the_kopeck(self) -> None:
        assert self.cart.total == sum(
            self.shown[product_id] * quantity for product_id, quantity in self.wanted.items()
        )

    @invariant()
    def every_piece_is_in_the_cart_or_dropped_or_bought(self) -> None:
        assert self.added == sum(self.wanted.values()) + self.dropped + self.bought

    def _product(self, place: int) -> Product:
        product_id = PRODUCT_IDS[place]
        return Product(product_id, "Лампа", self.prices[product_id], self.stock[product_id])

    def _refuses(self, whole: int, product: Product, change: Callable[[], CartLine]) -> bool:
        refusal: type[ShopError] | None = None
        if whole > 1000:
            refusal = TooMuchOfOne
        elif whole > product.stock_count:
            refusal = NotEnoughStock
        if refusal is None:
            change()
            return False
        with pytest.raises(refusal):
            change()
        return True

    def _note(self, product: Product, whole: int) -> None:
        before = self.wanted.get(product.id, 0)
        self.added += max(whole - before, 0)
        self.dropped += max(before - whole, 0)
        self.wanted[product.id] = whole
        self.shown[product.id] = product.price

    def _drop(self, product_id: UUID) -> None:
        self.dropped += self.wanted.pop(product_id)
        del self.shown[product_id]
        # What is put in after this is another line, which the open checkout does not buy.
        self.being_bought.pop(product_id, None)

    def _end(self) -> None:
        self.intent = None
        self.being_bought = {}


TestCartModel = CartMachine.TestCase
TestCartModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
