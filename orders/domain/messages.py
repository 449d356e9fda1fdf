"""What other services are told about an order: written with its change, delivered later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from orders.domain.lifecycle import StockMove
from orders.domain.order import Order

NOTIFY = "notify"


class Destination(StrEnum):
    ACCOUNTS = "accounts"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """``sequence`` is the version of the order it tells of, 0 for one that never came to be."""

    order_id: UUID
    destination: Destination
    kind: str
    sequence: int
    payload: Mapping[str, object] = field(default_factory=dict)


def messages_of(order: Order) -> list[OutboxMessage]:
    """What is to be told when ``order`` has just entered its status."""
    messages = [OutboxMessage(order.id, Destination.ACCOUNTS, NOTIFY, order.version, news(order))]
    move = order.stage.on_entry
    if move is not None:
        messages.append(OutboxMessage(order.id, Destination.CATALOG, move, order.version))
    return messages


def release(order_id: UUID) -> OutboxMessage:
    return OutboxMessage(order_id, Destination.CATALOG, StockMove.RELEASE, sequence=0)


def news(order: Order) -> dict[str, object]:
    """The body of ``POST /users/notify/order-status``."""
    return {
        "order_id": order.id,
        "user_id": order.user_id,
        "status": order.status,
        "updated_at": order.updated_at,
        "total": order.total,
        "version": order.version,
    }
