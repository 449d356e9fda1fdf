"""What Prometheus learns about orders."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram

from orders.domain import Destination, Order, Status
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
OPEN = Gauge("orders_open", "Orders that are neither delivered nor cancelled")
OUTBOX = Gauge("outbox_pending", "Messages that wait for their delivery", ["destination"])
FAILED = Counter("outbox_failures", "Attempts at a delivery that came to nothing", ["destination"])
DROPPED = Counter("outbox_dropped", "Messages that the other side refused", ["destination"])
RELEASED = Counter("order_holds_released", "Holds of no order that the sweeper gave back")
SETTLED = Counter("order_holds_settled", "Holds of an order of which the catalog was told again")

_by_status = {status: STATUS.labels(status=status.value) for status in Status}


class Figures(Protocol):
    def open_orders(self) -> int: ...
    def undelivered(self, destination: Destination) -> int: ...


def show(figures: Figures) -> None:
    """The gauges read a repository when they are asked."""
    OPEN.set_function(figures.open_orders)
    for destination in Destination:
        gauge = OUTBOX.labels(destination=destination.value)
        gauge.set_function(_undelivered(figures, destination))


def entered(order: Order) -> None:
    """``order`` has just entered its status."""
    _by_status[order.status].inc()
    if order.status is Status.CREATED:
        CREATED.inc()
        REVENUE.inc(to_kopecks(order.total))
    elif order.status is Status.DELIVERED:
        DELIVERY.observe((order.updated_at - order.created_at).total_seconds())


def stepped(order: Order, *, at: datetime) -> None:
    """The clock took the step that ``order`` was due for."""
    LATENESS.observe(max(0.0, (at - order.next_at).total_seconds()))


def _undelivered(figures: Figures, destination: Destination) -> Callable[[], int]:
    return lambda: figures.undelivered(destination)
