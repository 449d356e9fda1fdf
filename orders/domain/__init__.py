"""Orders in plain Python: their life, their rules, and what others are told about them."""

from orders.domain.lifecycle import (
    LIFECYCLE,
    OPEN,
    Role,
    Stage,
    Status,
    StockMove,
    Timetable,
)
from orders.domain.messages import Destination, OutboxMessage, messages_of, release
from orders.domain.order import (
    KEPT_AFTER_ITS_END,
    Actor,
    Final,
    Known,
    Line,
    Offer,
    Order,
    PendingOrder,
    Refusal,
    is_same_purchase,
)

__all__ = [
    "KEPT_AFTER_ITS_END",
    "LIFECYCLE",
    "OPEN",
    "Actor",
    "Destination",
    "Final",
    "Known",
    "Line",
    "Offer",
    "Order",
    "OutboxMessage",
    "PendingOrder",
    "Refusal",
    "Role",
    "Stage",
    "Status",
    "StockMove",
    "Timetable",
    "is_same_purchase",
    "messages_of",
    "release",
]
