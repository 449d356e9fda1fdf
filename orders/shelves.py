"""The lists of orders in memory: by status, and by status and user, each by age."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import datetime

from sortedcontainers import SortedList

from orders.domain import OPEN, Order, Status

Entry = tuple[datetime, int]
"""When an order was made, and its id as a number: what the garbage collector need not follow."""


class Shelves:
    """Lists over several statuses are merged as they are read.

    So an order stands on two shelves only. A user's shelf is a plain list: he has few orders in
    one status, and a hundred thousand users with one order each must not cost a tree each.
    """

    def __init__(self) -> None:
        self._of_all: dict[Status, SortedList[Entry]] = {status: SortedList() for status in Status}
        self._of_user: dict[Status, dict[str, list[Entry]]] = {status: {} for status in Status}

    def put(self, order: Order) -> None:
        entry = (order.created_at, order.id.int)
        self._of_all[order.status].add(entry)
        insort(self._of_user[order.status].setdefault(order.user_id, []), entry)

    def take(self, order: Order) -> None:
        entry = (order.created_at, order.id.int)
        self._of_all[order.status].remove(entry)
        users = self._of_user[order.status]
        shelf = users[order.user_id]
        del shelf[bisect_left(shelf, entry)]
        if not shelf:
            del users[order.user_id]

    def newest_first(
        self, user_id: str | None, status: Status | None, before: Entry | None
    ) -> Iterator[int]:
        statuses = [status] if status else Status
        runs = [self._run(user_id, each, before) for each in statuses if self._has(user_id, each)]
        merged = runs[0] if len(runs) == 1 else heapq.merge(*runs, reverse=True)
        return (number for _, number in merged)

    def count(self, status: Status) -> int:
        return len(self._of_all[status])

    def count_open(self) -> int:
        return sum(map(self.count, OPEN))

    def count_open_of(self, user_id: str) -> int:
        return sum(len(self._of_user[status].get(user_id, ())) for status in OPEN)

    def _has(self, user_id: str | None, status: Status) -> bool:
        """Whether there is anything to be merged: most users have orders in one or two states."""
        shelf = self._of_all[status] if user_id is None else self._of_user[status].get(user_id)
        return bool(shelf)

    def _run(self, user_id: str | None, status: Status, before: Entry | None) -> Iterator[Entry]:
        if user_id is None:
            all_of_them: Iterator[Entry] = self._of_all[status].irange(
                maximum=before, inclusive=(True, False), reverse=True
            )
            return all_of_them
        shelf = self._of_user[status].get(user_id, [])
        end = len(shelf) if before is None else bisect_left(shelf, before)
        return (shelf[place] for place in range(end - 1, -1, -1))
