"""The outbox in memory: one queue an order and destination."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from orders.domain import Destination, OutboxMessage


class Queues:
    def __init__(self) -> None:
        self._queues: dict[Destination, dict[int, list[OutboxMessage]]] = {
            destination: {} for destination in Destination
        }
        self._sizes = dict.fromkeys(Destination, 0)

    def add(self, messages: Iterable[OutboxMessage]) -> None:
        for message in messages:
            queues = self._queues[message.destination]
            queues.setdefault(message.order_id.int, []).append(message)
            self._sizes[message.destination] += 1

    def __iter__(self) -> Iterator[OutboxMessage]:
        """All that wait, those of a queue in its order."""
        queues = (queue for queues in self._queues.values() for queue in queues.values())
        return (message for queue in queues for message in queue)

    def first(self, destination: Destination, order_id: UUID) -> OutboxMessage | None:
        queue = self._queues[destination].get(order_id.int)
        return queue[0] if queue else None

    def remove(self, message: OutboxMessage) -> bool:
        """Whether ``message`` was at the head of its queue, from which it is gone now."""
        queues = self._queues[message.destination]
        queue = queues.get(message.order_id.int)
        if queue is None or queue[0] != message:
            return False
        del queue[0]
        if not queue:
            del queues[message.order_id.int]
        self._sizes[message.destination] -= 1
        return True

    def hold_any_of(self, order_id: UUID) -> bool:
        return any(order_id.int in queues for queues in self._queues.values())

    def orders(self, destination: Destination) -> Sequence[UUID]:
        return [queue[0].order_id for queue in self._queues[destination].values()]

    def size(self, destination: Destination) -> int:
        return self._sizes[destination]
