"""What a store of orders promises: one in memory, with or without a journal, or on Cassandra.

Several instances may share a store. Then what is due, what was left behind and the figures are
those that fall to one instance, and each falls to one of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orders.domain import (
    Destination,
    Final,
    Known,
    Order,
    OutboxMessage,
    PendingOrder,
    Status,
)

Position = tuple[datetime, UUID]
"""Where an order stands in every list: by ``created_at``, then by id."""


class Overtaken(Exception):
    """Somebody else changed it first; nothing was written. Read again and decide again."""


class OrderRepository(Protocol):
    """Every method that changes something is one write: all of it, or nothing.

    An id is unknown, or one of: a pending order, an order, a final answer.
    The messages of an order and a destination are one queue, kept with the order's change.
    """

    async def find(self, order_id: UUID) -> Known | None:
        """Whatever is known of an id."""

    async def page(
        self,
        *,
        limit: int,
        user_id: str | None = None,
        status: Status | None = None,
        before: Position | None = None,
    ) -> Sequence[Order]:
        """Orders, newest first, that come after ``before``; costs the same at any depth."""

    async def begin(self, pending: PendingOrder, *, most_open: int) -> None:
        """Stores a pending order under an unknown id.

        Raises Overtaken for a known id, and TooManyOpenOrders when its user has ``most_open``
        orders that are pending or not over.
        """

    async def forget(self, pending: PendingOrder) -> None:
        """As if it had never begun: for an order for which certainly nothing was done."""

    async def refuse(self, final: Final, messages: Sequence[OutboxMessage]) -> None:
        """Ends a pending order, or closes an unknown id. Raises Overtaken otherwise."""

    async def commit(
        self, order: Order, *, expected_version: int, messages: Sequence[OutboxMessage]
    ) -> None:
        """Stores the order's next version; version 0 is its pending order. Raises Overtaken."""

    async def delete(self, order: Order, final: Final) -> None:
        """Leaves ``final`` of it. Raises Overtaken, also while it has news to deliver."""

    async def due(self, now: datetime, *, limit: int) -> Sequence[Order]:
        """Orders whose ``next_at`` has come, the most overdue first.

        One that is over is not due before its last message is delivered.
        """

    async def next_due(self) -> datetime | None:
        """When the next order is due."""

    async def pending(self) -> Sequence[PendingOrder]:
        """All that is being made, of several instances what one of them has left behind."""

    async def waiting(self, destination: Destination) -> Sequence[UUID]:
        """The orders with messages for a destination; of several instances likewise."""

    async def next_message(self, destination: Destination, order_id: UUID) -> OutboxMessage | None:
        """The oldest message that was not delivered."""

    async def next_messages(
        self, destination: Destination, order_ids: Iterable[UUID]
    ) -> Sequence[OutboxMessage]:
        """The oldest one of each order that has any."""

    async def delivered(self, messages: Sequence[OutboxMessage]) -> Sequence[datetime]:
        """Takes the oldest messages off their queues; done twice, it does nothing.

        Answers when orders are due that only these messages kept from being so.
        """

    async def prune(self, now: datetime) -> int:
        """Drops the final answers that were kept long enough; answers how many."""

    def keeps_house(self) -> bool:
        """Whether this instance is the one that looks through what no instance owns."""

    def remembers_since(self, now: datetime) -> datetime:
        """Whatever ended since then is still known."""

    def open_orders(self) -> int:
        """How many orders are not over; for the metrics."""

    def orders_in(self, status: Status) -> int:
        """How many orders are in a status; for the metrics."""

    def undelivered(self, destination: Destination) -> int:
        """How many messages wait; for the metrics."""
