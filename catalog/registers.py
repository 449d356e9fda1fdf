"""The reservations in memory: by order, by state and age, and how long ended ones are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sortedcontainers import SortedList

from catalog.domain import CLOSED, Reservation, State


class Register:
    """Holds are kept until they are settled, whatever their age; all others are bounded.

    A sold one is forgotten ``keep_sold`` after the sale (its units stay sold); of the released and
    of the returned ones the newest ``keep_closed`` each are known, and can never be held again.
    """

    def __init__(self, *, keep_sold: timedelta, keep_closed: int) -> None:
        self._keep_sold = keep_sold
        self._keep_closed = keep_closed
        self._by_order: dict[UUID, Reservation] = {}
        self._by_state = {state: SortedList() for state in State}

    def get(self, order_id: UUID) -> Reservation | None:
        return self._by_order.get(order_id)

    def all(self) -> Sequence[Reservation]:
        return list(self._by_order.values())

    def put(self, reservation: Reservation) -> None:
        """Stores a new reservation, or the new state of a known one."""
        known = self._by_order.get(reservation.order_id)
        if known is not None:
            self._by_state[known.state].remove(_entry(known))
        self._by_order[reservation.order_id] = reservation
        self._by_state[reservation.state].add(_entry(reservation))
        self._forget_ended(reservation.updated_at)

    def page(
        self,
        state: State,
        *,
        until: datetime,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Sequence[Reservation]:
        entries = self._by_state[state]
        start = 0 if after is None else entries.bisect_left((after[0], after[1].int + 1))
        stop = entries.bisect_left((until + timedelta(microseconds=1),))
        return [entry[-1] for entry in entries[start : min(start + limit, stop)]]

    def _forget_ended(self, now: datetime) -> None:
        sold = self._by_state[State.SOLD]
        while sold and sold[0][0] < now - self._keep_sold:
            self._forget_first(sold)
        for state in CLOSED:
            while len(self._by_state[state]) > self._keep_closed:
                self._forget_first(self._by_state[state])

    def _forget_first(self, entries: SortedList) -> None:
        forgotten: Reservation = entries.pop(0)[-1]
        del self._by_order[forgotten.order_id]


def _entry(reservation: Reservation) -> tuple[datetime, int, Reservation]:
    return reservation.updated_at, reservation.order_id.int, reservation
