"""What can go wrong with an order, each with its sentence and machine word."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from store.errors import Conflict, Forbidden, Invalid, KeyReused, NotFound


class OrderNotFound(NotFound):
    code = "order_not_found"
    detail = "There is no such order."


class NotYourOrder(Forbidden):
    code = "not_your_order"
    detail = "This order is not yours."


class CancellationForbidden(Forbidden):
    code = "cancellation_forbidden"
    detail = "The order is on its way: only an admin can cancel it now."


class TotalMismatch(Invalid):
    code = "total_mismatch"
    detail = "The total is not the sum of the items."


class ProductTwice(Invalid):
    detail = "A product may stand in one line only."


class KeyOfAnotherOrder(KeyReused):
    """The key's order holds other items than this request."""


class IdTaken(Conflict):
    code = "id_taken"
    detail = "This id is in use."


class IllegalTransition(Conflict):
    code = "illegal_transition"

    def __init__(self, present: str, wanted: str) -> None:
        super().__init__(f"An order that is {present} cannot become {wanted}.")


class TooManyOpenOrders(Conflict):
    code = "too_many_open_orders"
    detail = "Too many of your orders are still open."


class OrderExpired(Conflict):
    code = "order_expired"
    detail = "This order was not made in time and never will be; start a new one."


class InsufficientStock(Conflict):
    code = "insufficient_stock"
    detail = "There is not enough in stock."


class ProductUnavailable(Conflict):
    code = "product_unavailable"
    detail = "A product is not on sale any more."


class PriceChanged(Conflict):
    code = "price_changed"
    detail = "A price has changed."

    def __init__(self, prices: Mapping[UUID, Decimal]) -> None:
        """``prices``: what the changed products cost now."""
        named = {str(product_id): price for product_id, price in prices.items()}
        super().__init__(
            errors={
                product: [f"The price is now {price:.2f}."] for product, price in named.items()
            },
            facts={"prices": named},
        )
