"""Whatever happens, and in whatever order: the books of every product balance."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from catalog.domain import CLOSED, State
from store.errors import Conflict
from tests.catalog.examples import NOON, memory_catalog, product

T = TypeVar("T")

product_ids = st.integers(1, 4).map(lambda number: UUID(int=number))
order_ids = st.integers(11, 18).map(lambda number: UUID(int=number))
baskets = st.dictionaries(product_ids, st.integers(1, 4), min_size=1, max_size=3)


class Shop(RuleBasedStateMachine):
    """Admins and orders at work; the model knows the state of each order and what is on sale."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = memory_catalog()
        self.on_sale: dict[UUID, int] = {}
        self.baskets: dict[UUID, dict[UUID, int]] = {}
        self.states: dict[UUID, State] = {}

    def teardown(self) -> None:
        self.runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(call)

    @rule(product_id=product_ids, stock=st.integers(0, 6))
    def add(self, product_id: UUID, stock: int) -> None:
        added = self.run(self.store.add(product(product_id=product_id, stock_count=stock)))

        assert added == (product_id not in self.on_sale)
        self.on_sale.setdefault(product_id, stock)

    @rule(product_id=product_ids, stock=st.integers(0, 6))
    def set_stock(self, product_id: UUID, stock: int) -> None:
        self.run(self.store.update(product_id, {"stock_count": stock}))

        if product_id in self.on_sale:
            self.on_sale[product_id] = stock

    @rule(product_id=product_ids)
    def delete(self, product_id: UUID) -> None:
        self.run(self.store.delete(product_id))

        self.on_sale.pop(product_id, None)

    @rule(order_id=order_ids, basket=baskets)
    def reserve(self, order_id: UUID, basket: dict[UUID, int]) -> None:
        try:
            held = self.run(self.store.reserve(order_id, "alice", basket, now=NOON))
        except Conflict:
            assert not self._is_free_to_hold(order_id, basket)
            return
        if order_id not in self.states:
            assert self._is_free_to_hold(order_id, basket)
            self.baskets[order_id], self.states[order_id] = basket, State.HELD
            self._move(basket, by=-1)
        assert held.state is self.states[order_id]

    @rule(order_id=order_ids, state=st.sampled_from([State.SOLD, State.RETURNED, State.RELEASED]))
    def settle(self, order_id: UUID, state: State) -> None:
        self.run(self.store.settle(order_id, state, now=NOON))

        before = self.states.get(order_id)
        if before is None and state in CLOSED:
            self.states[order_id], self.baskets[order_id] = state, {}
        elif (before is State.HELD and state is not State.HELD) or (
            before is State.SOLD and state is State.RETURNED
        ):
            self.states[order_id] = state
            if state in CLOSED:
                self._move(self.baskets[order_id], by=1)

    @invariant()
    def books_balance_and_agree_with_the_orders(self) -> None:
        placed = {state: Counter[UUID]() for state in State}
        for order_id, basket in self.baskets.items():
            placed[self.states[order_id]].update(basket)
        for product_id in (UUID(int=number) for number in range(1, 5)):
            books = self.run(self.store.stock(product_id))
            if books is not None:
                assert books.is_balanced
                assert books.reserved == placed[State.HELD][product_id]
                assert books.sold == placed[State.SOLD][product_id]
                assert books.available == self.on_sale.get(product_id, 0)

    @invariant()
    def products_show_what_is_available(self) -> None:
        for product_id, available in self.on_sale.items():
            found = self.run(self.store.product(product_id))
            assert found is not None
            assert found.stock_count == available >= 0

    def _is_free_to_hold(self, order_id: UUID, basket: dict[UUID, int]) -> bool:
        return order_id not in self.states and all(
            self.on_sale.get(product_id, 0) >= quantity for product_id, quantity in basket.items()
        )

    def _move(self, basket: dict[UUID, int], *, by: int) -> None:
        for product_id, quantity in basket.items():
            if product_id in self.on_sale:
                self.on_sale[product_id] += by * quantity


class TestShop(Shop.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
