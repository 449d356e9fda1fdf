"""Writes what becomes of orders, each change with its messages, and wakes who has to know."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from orders import metrics
from orders.alarm import Alarm
from orders.domain import (
    Destination,
    Final,
    Order,
    OutboxMessage,
    PendingOrder,
    Refusal,
    messages_of,
)
from orders.outbox import Relay
from orders.repositories import OrderRepository


class Ledger:
    def __init__(
        self,
        repository: OrderRepository,
        alarm: Alarm,
        relays: Mapping[Destination, Relay],
    ) -> None:
        self._repository = repository
        self._alarm = alarm
        self._relays = relays

    async def record(self, order: Order) -> Order:
        """The order has entered its status. Raises Overtaken when its last version is not there."""
        messages = messages_of(order)
        await self._repository.commit(order, expected_version=order.version - 1, messages=messages)
        metrics.entered(order)
        self._alarm.ring(order.next_at)
        self._wake(messages)
        return order

    async def refuse(
        self,
        pending: PendingOrder,
        refusal: Refusal,
        *,
        at: datetime,
        messages: Sequence[OutboxMessage] = (),
    ) -> Refusal:
        """The pending order is refused for good."""
        await self.close(Final.of(pending, refusal, at=at), messages)
        metrics.REFUSED.labels(code=refusal.code).inc()
        return refusal

    async def close(self, final: Final, messages: Sequence[OutboxMessage]) -> None:
        """The id will never be an order. Raises Overtaken when it is one."""
        await self._repository.refuse(final, messages)
        self._wake(messages)

    async def delete(self, order: Order, *, at: datetime) -> None:
        """The order's time is over. Raises Overtaken."""
        await self._repository.delete(order, Final.of(order, order, at=at))

    def _wake(self, messages: Iterable[OutboxMessage]) -> None:
        for message in messages:
            self._relays[message.destination].wake(message.order_id)
