"""The cart and its rules, what a checkout means to buy, and what a user looked at lately."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from store import money
from store.errors import Invalid, NotFound

MAX_QUANTITY = 1000
MAX_LINES = 100
MAX_RECENT_VIEWS = 10
CHECKOUT_LASTS = timedelta(seconds=60)
KEYS_LAST = timedelta(hours=24)

_ORDERS_BY_KEY = uuid5(NAMESPACE_URL, "product-store/carts/checkout")


class EmptyCart(Invalid):
    code = "empty_cart"
    detail = "The cart is empty."


class TooManyLines(Invalid):
    code = "too_many_lines"
    detail = f"A cart holds at most {MAX_LINES} different products."


class TooMuchOfOne(Invalid):
    code = "quantity_too_large"
    detail = f"A cart holds at most {MAX_QUANTITY} of one product."


class NotEnoughStock(Invalid):
    code = "insufficient_stock"
    detail = "There is not enough of this product in stock."


class UnknownLine(NotFound):
    code = "item_not_found"
    detail = "There is no such item in the cart."


class UnknownProduct(NotFound):
    code = "product_not_found"
    detail = "There is no such product."


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the catalog describes it at this moment."""

    id: UUID
    name: str
    price: Decimal
    stock_count: int


@dataclass(frozen=True, slots=True)
class CartLine:
    id: UUID
    product_id: UUID
    name: str
    price: Decimal
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class CheckoutIntent:
    """What one checkout means to buy: the lines as they were shown, under the order's id.

    It stands until orders has said what became of it; edits of the cart do not change it.
    """

    user: str
    order_id: UUID
    lines: tuple[CartLine, ...]
    valid_until: datetime

    @property
    def began_at(self) -> datetime:
        return self.valid_until - CHECKOUT_LASTS

    @property
    def total(self) -> Decimal:
        return total_of(self.lines)

    @property
    def item_count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def quantities(self) -> dict[UUID, int]:
        """How many of each product."""
        return {line.product_id: line.quantity for line in self.lines}


@dataclass(slots=True)
class Cart:
    """A user's lines by product, in the order in which they were added."""

    user: str
    lines: dict[UUID, CartLine] = field(default_factory=dict)
    intent: CheckoutIntent | None = None

    @property
    def total(self) -> Decimal:
        return total_of(self.lines.values())

    @property
    def is_forgettable(self) -> bool:
        """Whether nothing is lost when this cart is dropped."""
        return not self.lines and self.intent is None

    def copy(self) -> "Cart":
        return Cart(self.user, dict(self.lines), self.intent)

    def line(self, item_id: UUID) -> CartLine:
        """The line with this id or, failing that, of the product with this id."""
        for line in self.lines.values():
            if line.id == item_id:
                return line
        try:
            return self.lines[item_id]
        except KeyError:
            raise UnknownLine from None

    def add(self, product: Product, quantity: int) -> CartLine:
        """Adds a line, or raises the product's line; either way at the present price."""
        line = self.lines.get(product.id)
        if line is not None:
            return self._put(line.id, product, line.quantity + quantity)
        if len(self.lines) >= MAX_LINES:
            raise TooManyLines
        return self._put(uuid4(), product, quantity)

    def set_quantity(self, item_id: UUID, product: Product, quantity: int) -> CartLine:
        """The line with another quantity, at the present price."""
        return self._put(self.line(item_id).id, product, quantity)

    def remove(self, item_id: UUID) -> None:
        del self.lines[self.line(item_id).product_id]

    def clear(self) -> None:
        self.lines.clear()

    def begin_checkout(self, order_id: UUID, *, now: datetime) -> CheckoutIntent:
        """The open intent, or else a new one for all that is in the cart."""
        if self.intent is None:
            if not self.lines:
                raise EmptyCart
            lines = tuple(self.lines.values())
            self.intent = CheckoutIntent(self.user, order_id, lines, now + CHECKOUT_LASTS)
        return self.intent

    def close_checkout(self, intent: CheckoutIntent) -> bool:
        """Ends ``intent`` with the cart as it is. False if it had ended before."""
        if self.intent != intent:
            return False
        self.intent = None
        return True

    def take_bought(self, intent: CheckoutIntent) -> bool:
        """Ends ``intent`` and takes out exactly what it bought. False if it had ended before.

        A line that was raised meanwhile keeps the rest; one that was added meanwhile, even
        of the same product, is another line and stays.
        """
        if not self.close_checkout(intent):
            return False
        for bought in intent.lines:
            self._take(bought)
        return True

    def reprice(self, prices: Mapping[UUID, Decimal]) -> None:
        for product_id in self.lines.keys() & prices.keys():
            line = self.lines[product_id]
            self.lines[product_id] = replace(line, price=prices[product_id])

    def _put(self, line_id: UUID, product: Product, quantity: int) -> CartLine:
        check_quantity(product, quantity)
        line = CartLine(line_id, product.id, product.name, product.price, quantity)
        self.lines[product.id] = line
        return line

    def _take(self, bought: CartLine) -> None:
        line = self.lines.get(bought.product_id)
        if line is None or line.id != bought.id:
            return
        if line.quantity > bought.quantity:
            rest = replace(line, quantity=line.quantity - bought.quantity)
            self.lines[line.product_id] = rest
        else:
            del self.lines[line.product_id]


@dataclass(frozen=True, slots=True)
class View:
    product_id: UUID
    viewed_at: datetime


@dataclass(frozen=True, slots=True)
class RecentViews:
    """The last products a user looked at: newest first, each once."""

    views: tuple[View, ...] = ()

    def with_view(self, view: View) -> "RecentViews":
        others = (seen for seen in self.views if seen.product_id != view.product_id)
        return RecentViews((view, *others)[:MAX_RECENT_VIEWS])


def total_of(lines: Iterable[CartLine]) -> Decimal:
    return money.total((line.price, line.quantity) for line in lines)


def check_quantity(product: Product, quantity: int) -> None:
    """``quantity`` is that of the whole line."""
    if quantity > MAX_QUANTITY:
        raise TooMuchOfOne(errors={"quantity": [TooMuchOfOne.detail]})
    if quantity > product.stock_count:
        raise NotEnoughStock(errors={"quantity": [f"Only {product.stock_count} in stock."]})


def order_id_for(user: str, key: str | None) -> UUID:
    """The id of the order a checkout makes: one and the same for a user's idempotency key."""
    # A username has no space in it, so no two pairs make one name.
    return uuid4() if key is None else uuid5(_ORDERS_BY_KEY, f"{user} {key}")


def order_id_after(order_id: UUID) -> UUID:
    """The id of the next order under a key that is used again when its time is over."""
    return uuid5(_ORDERS_BY_KEY, str(order_id))
