"""Whatever people, admins and time do to the shop, it is where the model says it is."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.contract import callers
from tests.model.model import Answer, Product, Shop
from tests.model.shop import RealShop

USERS = ("alice", "bob")
ADMIN = callers.admin()
HEADERS = {user: callers.user(user) for user in USERS}
KEYS = ("k1", "k2", "k3")
NO_ID = "00000000-0000-4000-8000-000000000000"
users = st.sampled_from(USERS)
prices = st.integers(1, 20).map(lambda step: step * 333)
stocks = st.sampled_from((0, 1, 2, 5, 1500))
quantities = st.sampled_from((1, 1, 2, 3, 600, 1000))
# Each a little past, or before, a step of some order.
pauses = st.sampled_from((1, 2, 3, 5, 11, 61, 301, 400))


class ShopMachine(RuleBasedStateMachine):
    """Money is in kopecks here, in roubles on the wire."""

    products: ClassVar[Bundle[str]] = Bundle("products")
    orders: ClassVar[Bundle[str]] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.shop, self.model, self.steps = RealShop(), Shop(), 0
        for user in USERS:
            self.shop.register(user)
            self.model.carts[user], self.model.spent[user] = {}, 0

    def teardown(self) -> None:
        try:
            self._check_stock(list(self.model.products))
            for user in USERS:
                self._check_spent(user)
        finally:
            self.shop.close()

    # -- Admins -----------------------------------------------------------------------------

    @initialize(target=products, price=prices, more=prices)
    def open_with_two_products(self, price: int, more: int) -> Any:
        return multiple(self._create(price, 5), self._create(more, 1500))

    @rule(target=products, price=prices, stock=stocks)
    def create(self, price: int, stock: int) -> str:
        return self._create(price, stock)

    @rule(product=products, price=prices)
    def set_price(self, product: str, price: int) -> None:
        self._change(product, {"price": price / 100})
        if product in self.model.products:
            self.model.products[product].price = price

    @rule(product=products, stock=stocks)
    def set_stock(self, product: str, stock: int) -> None:
        self._change(product, {"stock_count": stock})
        if product in self.model.products:
            self.model.products[product].stock = stock

    @rule(product=consumes(products))
    def delete(self, product: str) -> None:
        is_there = self.model.products.pop(product, None) is not None
        answer, _ = self.shop.call("DELETE", f"/api/products/{product}", headers=ADMIN)
        assert answer == ((204, "") if is_there else (404, "product_not_found"))

    @rule(order=orders, status=st.sampled_from(("PROCESSING", "SHIPPING", "DELIVERED")))
    def set_status(self, order: str, status: str) -> None:
        self._set_status(order, status)

    @rule(order=orders)
    def cancel_as_admin(self, order: str) -> None:
        self._set_status(order, "CANCELLED")

    # -- People -----------------------------------------------------------------------------

    @rule(user=users, product=products, quantity=quantities)
    def add(self, user: str, product: str, quantity: int) -> None:
        body = {"product_id": product, "quantity": quantity}
        answer = self._as(user, "POST", "/cart-api/cart/items", json=body)
        assert answer == self.model.add(user, product, quantity)

    @rule(user=users, product=products, quantity=quantities)
    def set_quantity(self, user: str, product: str, quantity: int) -> None:
        url, body = f"/cart-api/cart/items/{product}", {"quantity": quantity}
        answer = self._as(user, "PUT", url, json=body)
        assert answer == self.model.set_quantity(user, product, quantity)

    @rule(user=users, product=products)
    def remove(self, user: str, product: str) -> None:
        answer = self._as(user, "DELETE", f"/cart-api/cart/items/{product}")
        assert answer == self.model.remove(user, product)

    @rule(user=users)
    def clear(self, user: str) -> None:
        assert self._as(user, "DELETE", "/cart-api/cart/") == self.model.clear(user)

    @rule(target=orders, user=users, key=st.sampled_from((None, None, *KEYS)))
    def checkout(self, user: str, key: str | None) -> Any:
        headers = HEADERS[user] | ({"Idempotency-Key": key} if key else {})
        now = self.shop.loop.now
        answer, said = self.shop.call("POST", "/cart-api/cart/checkout", headers=headers)
        placed = said["id"] if answer[0] == 200 else NO_ID
        known = dict(self.model.keys)
        expected, order_id = self.model.checkout(user, placed, key, now)
        assert answer == expected
        if answer[0] != 200:
            return multiple()
        assert placed == order_id
        return multiple() if (user, key) in known else placed

    @rule(user=users, order=orders)
    def cancel(self, user: str, order: str) -> None:
        now = self.shop.loop.now
        answer = self._as(user, "PUT", f"/order-api/orders/{order}/cancel")
        assert answer == self.model.cancel(user, order, now)

    @rule(seconds=pauses)
    def wait(self, seconds: int) -> None:
        self.shop.pass_time(seconds)

    # -- What must be true ------------------------------------------------------------------

    @invariant()
    def nothing_is_where_it_should_not_be(self) -> None:
        """Of stock and of what was spent one after the other, and all in the end."""
        self.model.pass_time(self.shop.loop.now)
        self.steps += 1
        assert self._carts() == {
            user: {each: (line.price, line.quantity) for each, line in cart.items()}
            for user, cart in self.model.carts.items()
            if cart
        }
        assert self._orders() == {
            each: (order.user, order.status, order.total)
            for each, order in self.model.orders.items()
        }
        self._check_stock(list(self.model.products)[self.steps % 5 :][:1])
        self._check_spent(USERS[self.steps % 2])

    def _check_stock(self, products: list[str]) -> None:
        for each in products:
            shown = self.shop.get(f"/api/products/{each}", ADMIN)
            assert shown["stock_count"] == self.model.products[each].stock

    def _check_spent(self, user: str) -> None:
        shown = self.shop.get("/user-api/users/me/total-spent", HEADERS[user])
        assert kopecks(shown["total_spent"]) == self.model.spent[user]

    def _create(self, price: int, stock: int) -> str:
        body = {"name": "Чай", "category": "Чай", "price": price / 100, "stock_count": stock}
        answer, said = self.shop.call("POST", "/api/products/", json=body, headers=ADMIN)
        assert answer == (201, "")
        product = str(said["product_id"])
        self.model.products[product] = Product(price, stock)
        return product

    def _change(self, product: str, changes: dict[str, float]) -> None:
        url = f"/api/products/{product}"
        answer, _ = self.shop.call("PUT", url, json=changes, headers=ADMIN)
        is_there = product in self.model.products
        assert answer == ((200, "") if is_there else (404, "product_not_found"))

    def _set_status(self, order: str, status: str) -> None:
        now, url = self.shop.loop.now, f"/order-api/orders/{order}/status"
        answer, _ = self.shop.call("PUT", url, json={"status": status}, headers=ADMIN)
        assert answer == self.model.set_status(order, status, now)

    def _as(self, user: str, verb: str, url: str, **options: Any) -> Answer:
        return self.shop.call(verb, url, headers=HEADERS[user], **options)[0]

    # -- What the shop shows ----------------------------------------------------------------

    def _carts(self) -> dict[str, dict[str, tuple[int, int]]]:
        return {
            cart["user_id"]: {
                line["product_id"]: (kopecks(line["price"]), line["quantity"])
                for line in cart["items"]
            }
            for cart in self.shop.get("/cart-api/carts/", ADMIN)["items"]
        }

    def _orders(self) -> dict[str, tuple[str, str, int]]:
        return {
            order["id"]: (order["user_id"], order["status"], kopecks(order["total"]))
            for order in self.shop.get("/order-api/orders/", ADMIN)
        }


def kopecks(roubles: float) -> int:
    return round(roubles * 100)
