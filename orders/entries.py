"""What is known of an order's id, whatever became of it: for the audit."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from orders.domain import Destination, Final, Known, Order, PendingOrder
from orders.repositories import OrderRepository


class EntryState(StrEnum):
    """``ended``: it was an order, and was deleted when its time was over."""

    ORDER = "order"
    ENDED = "ended"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """``undelivered``: who has not heard all news of it yet."""

    id: UUID
    state: EntryState
    order: Order | None
    undelivered: list[Destination]


async def entry_of(repository: OrderRepository, order_id: UUID) -> Entry | None:
    known = await repository.find(order_id)
    if known is None:
        return None
    waiting = [
        destination
        for destination in Destination
        if await repository.next_message(destination, order_id) is not None
    ]
    return Entry(order_id, *_state_of(known), waiting)


def _state_of(known: Known) -> tuple[EntryState, Order | None]:
    match known:
        case Order():
            return EntryState.ORDER, known
        case PendingOrder():
            return EntryState.PENDING, None
        case Final(answer=Order() as order):
            return EntryState.ENDED, order
    return EntryState.REFUSED, None
