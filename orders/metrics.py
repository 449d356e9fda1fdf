"""What Prometheus learns about orders."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram

from orders.domain import Destination, Order, Status
from store.metrics import CappedLabel
from store.money import to_kopecks

CREATED = Counter("orders_created", "Orders made")
STATUS = Counter("orders_status", "Orders that entered a status", ["status"])
REVENUE = Counter("order_revenue_cents", "Sum of the orders made, in hundredths")
DELIVERY = Histogram(
    "order_delivery_duration_seconds",
    "From the making of an order to its delivery",
    buckets=(30, 60, 120, 180, 240, 300, 360, 480, 600),
)
REFUSED = Counter("orders_refused", "Orders that were not made, by the reason", ["code"])
LATENESS = Histogram(
    "order_step_lateness_seconds",
    "How long after its due time the clock took a step",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 300),
)
BOUGHT = Counter("products_ordered", "Pieces in the orders made", ["product_name"])
NOW = Gauge("orders_in_status", "Orders that are in a status now", ["status"])
OPEN = Gauge("orders_open", "Orders that are neither delivered nor cancelled")
OUTBOX = Gauge("outbox_pending", "Messages that wait for their delivery", ["destination"])
OUTBOX_AGE = Gauge(
    "outbox_oldest_seconds", "How long the longest waiting order has had a message", ["destination"]
)
FAILED = Counter("outbox_failures", "Attempts at a delivery that came to nothing", ["destination"])
DROPPED = Counter("outbox_dropped", "Messages that the other side refused", ["destination"])
RELEASED = Counter("order_holds_released", "Holds of no order that the sweeper gave back")
SETTLED = Counter("order_holds_settled", "Holds of an order of which the catalog was told again")
CLOCK = Gauge("order_clock_last_run_timestamp_seconds", "When the clock last took what was due")
SWEEP = Gauge("order_sweep_last_run_timestamp_seconds", "When all holds were last looked through")
OVERDUE_HOLDS = Gauge("order_holds_overdue", "Holds older than a minute that the last sweep found")

# Shown from the start: a first one would not look like a change.
for _code in ("insufficient_stock", "price_changed", "product_unavailable", "order_expired"):
    REFUSED.labels(code=_code)
for _destination in Destination:
    FAILED.labels(destination=_destination.value)
    DROPPED.labels(destination=_destination.value)

_product_label = CappedLabel(limit=1000)
# Told by `manage.py audit`; nothing is said before its first word.
DRIFT = Gauge("shop_books_drift", "Differences that the last audit found, by check", ["check"])
AUDITED = Gauge("shop_books_audited_timestamp_seconds", "When the last audit ended, 0: never")

_checks = CappedLabel()
_by_status = {status: STATUS.labels(status=status.value) for status in Status}


class Figures(Protocol):
    def open_orders(self) -> int: ...
    def orders_in(self, status: Status) -> int: ...
    def undelivered(self, destination: Destination) -> int: ...


def show(figures: Figures) -> None:
    """The gauges read a repository when they are asked."""
    OPEN.set_function(figures.open_orders)
    for status in Status:
        NOW.labels(status=status.value).set_function(partial(figures.orders_in, status))
    for destination in Destination:
        gauge = OUTBOX.labels(destination=destination.value)
        gauge.set_function(partial(figures.undelivered, destination))


def entered(order: Order) -> None:
    """``order`` has just entered its status."""
    _by_status[order.status].inc()
    if order.status is Status.CREATED:
        CREATED.inc()
        REVENUE.inc(to_kopecks(order.total))
        for line in order.lines:
            BOUGHT.labels(product_name=_product_label(line.name)).inc(line.quantity)
    elif order.status is Status.DELIVERED:
        DELIVERY.observe((order.updated_at - order.created_at).total_seconds())


def audited(differences: Mapping[str, int]) -> None:
    """An audit of the whole shop has ended; by check, what it found."""
    for check, count in differences.items():
        DRIFT.labels(check=_checks(check)).set(count)
    AUDITED.set_to_current_time()


def stepped(order: Order, *, at: datetime) -> None:
    """The clock took the step that ``order`` was due for."""
    LATENESS.observe(max(0.0, (at - order.next_at).total_seconds()))


def swept(overdue: int) -> None:
    """All holds were looked through, and ``overdue`` of them were older than they should be."""
    OVERDUE_HOLDS.set(overdue)
    SWEEP.set_to_current_time()
