"""What Prometheus learns about carts."""

from prometheus_client import Counter, Gauge, Histogram

from carts.domain import CheckoutIntent
from store import money
from store.metrics import CappedLabel

CART_VALUE_CENTS = Histogram(
    "cart_value_cents",
    "What a cart was worth at checkout, in hundredths",
    buckets=(1000, 2500, 5000, 7500, 10000, 15000, 20000, 50000),
)
CART_ITEMS_COUNT = Histogram(
    "cart_items_count",
    "How many pieces were bought at a checkout, quantities summed",
    buckets=(1, 2, 3, 5, 8, 13, 21),
)
ITEMS_ADDED = Counter(
    "items_added_to_cart_total", "How often a product was added to a cart", ["product_name"]
)
CHECKOUTS = Counter("checkouts_total", "Checkouts that became an order")

CHECKOUTS_FAILED = Counter(
    "checkouts_failed_total", "Checkouts that brought no order, or none in time", ["code"]
)
CHECKOUTS_RUNNING = Gauge("checkouts_running", "Checkouts whose outcome is not known yet")

# Shown from the start: a first failure would not look like a change.
FAILURES = (
    *("insufficient_stock", "price_changed", "product_unavailable", "too_many_open_orders"),
    *("order_expired", "service_unavailable", "checkout_running"),
)
for _code in FAILURES:
    CHECKOUTS_FAILED.labels(_code)

_product_label = CappedLabel(limit=1000)
_failure_label = CappedLabel(limit=50)


def item_added(product_name: str) -> None:
    ITEMS_ADDED.labels(_product_label(product_name)).inc()


def checked_out(intent: CheckoutIntent) -> None:
    """Once per order."""
    CART_VALUE_CENTS.observe(money.to_kopecks(intent.total))
    CART_ITEMS_COUNT.observe(intent.item_count)
    CHECKOUTS.inc()


def checkout_failed(code: str) -> None:
    """Once per checkout that ended without an order, and per caller who waited in vain."""
    CHECKOUTS_FAILED.labels(_failure_label(code)).inc()
