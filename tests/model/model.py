"""The shop as its contract describes it, in plain Python: what the model test compares with.

An answer is a status and, for an error, its machine word. Money is in whole kopecks.
"""

from dataclasses import dataclass, field

Answer = tuple[int, str]
OK: Answer = (200, "")
LARGEST_LINE = 1000
NEXT = {"CREATED": "PROCESSING", "PROCESSING": "SHIPPING", "SHIPPING": "DELIVERED"}
# Seconds in a status; in the last two, until the order is deleted.
STAY = {"CREATED": 5, "PROCESSING": 5, "SHIPPING": 60, "DELIVERED": 300, "CANCELLED": 86400}


@dataclass
class Product:
    price: int
    stock: int


@dataclass
class Line:
    price: int
    quantity: int


@dataclass
class Order:
    user: str
    lines: dict[str, Line]
    status: str = "CREATED"
    next_at: float = 0.0

    @property
    def total(self) -> int:
        return sum(line.price * line.quantity for line in self.lines.values())


@dataclass
class Shop:
    products: dict[str, Product] = field(default_factory=dict)
    carts: dict[str, dict[str, Line]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[Answer, str]] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    def add(self, user: str, product: str, quantity: int) -> Answer:
        if product not in self.products:
            return 404, "product_not_found"
        line = self.carts[user].get(product)
        return self._put(user, product, quantity + (line.quantity if line else 0))

    def set_quantity(self, user: str, product: str, quantity: int) -> Answer:
        if product not in self.carts[user]:
            return 404, "item_not_found"
        if product not in self.products:
            return 404, "product_not_found"
        return self._put(user, product, quantity)

    def _put(self, user: str, product: str, quantity: int) -> Answer:
        known = self.products[product]
        if quantity > LARGEST_LINE:
            return 400, "quantity_too_large"
        if quantity > known.stock:
            return 400, "insufficient_stock"
        self.carts[user][product] = Line(known.price, quantity)
        return OK

    def remove(self, user: str, product: str) -> Answer:
        return OK if self.carts[user].pop(product, None) else (404, "item_not_found")

    def clear(self, user: str) -> Answer:
        self.carts[user].clear()
        return OK

    def checkout(self, user: str, order_id: str, key: str | None, now: float) -> tuple[Answer, str]:
        """The answer and the order's id; ``order_id`` is the one that a new order gets."""
        if key is not None and (user, key) in self.keys:
            return self.keys[user, key]
        answer = self._buy(user, order_id, now)
        outcome = answer, order_id if answer == OK else ""
        if key is not None and answer[0] in (200, 409):
            self.keys[user, key] = outcome
        return outcome

    def _buy(self, user: str, order_id: str, now: float) -> Answer:
        lines = dict(self.carts[user])
        if not lines:
            return 400, "empty_cart"
        if lines.keys() - self.products.keys():
            return 409, "product_unavailable"
        if any(self.products[each].stock < line.quantity for each, line in lines.items()):
            return 409, "insufficient_stock"
        if any(self.products[each].price != line.price for each, line in lines.items()):
            for each, line in lines.items():
                self.carts[user][each] = Line(self.products[each].price, line.quantity)
            return 409, "price_changed"
        for each, line in lines.items():
            self.products[each].stock -= line.quantity
        order = self.orders[order_id] = Order(user, lines)
        self._enter(order, "CREATED", now)
        self.spent[user] += order.total
        self.carts[user].clear()
        return OK

    def cancel(self, user: str, order_id: str, now: float) -> Answer:
        order = self.orders.get(order_id)
        if order is None:
            return 404, "order_not_found"
        if order.user != user:
            return 403, "not_your_order"
        if order.status == "SHIPPING":
            return 403, "cancellation_forbidden"
        return self.set_status(order_id, "CANCELLED", now)

    def set_status(self, order_id: str, status: str, now: float) -> Answer:
        order = self.orders.get(order_id)
        if order is None:
            return 404, "order_not_found"
        if status != NEXT.get(order.status) and (status != "CANCELLED" or order.status not in NEXT):
            return 409, "illegal_transition"
        self._enter(order, status, now)
        if status == "CANCELLED":
            self.spent[order.user] -= order.total
            for each in order.lines.keys() & self.products.keys():
                self.products[each].stock += order.lines[each].quantity
        return OK

    def _enter(self, order: Order, status: str, at: float) -> None:
        order.status, order.next_at = status, at + STAY[status]

    def pass_time(self, now: float) -> None:
        for order_id, order in list(self.orders.items()):
            while order.next_at <= now:
                if order.status not in NEXT:
                    del self.orders[order_id]
                    break
                self._enter(order, NEXT[order.status], order.next_at)
