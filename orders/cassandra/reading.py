"""Pages of orders: what the lists say, compared with the orders themselves."""

from collections.abc import AsyncIterator, Sequence

from orders.cassandra.lists import Lists
from orders.cassandra.partitions import Partitions
from orders.domain import Order, Status
from orders.repositories import Position


class Pages:
    def __init__(self, partitions: Partitions, lists: Lists) -> None:
        self._partitions = partitions
        self._lists = lists

    async def of_user(
        self, user_id: str, status: Status | None, before: Position | None, *, limit: int
    ) -> list[Order]:
        """A user has few orders: those of one status are sought among all of his."""
        return await self._page(self._rows_of_user(user_id, before, limit), status, limit)

    async def of_all(
        self, status: Status | None, before: Position | None, *, limit: int
    ) -> list[Order]:
        return await self._page(self._rows_of_all(status, before, limit), status, limit)

    async def _page(
        self, parts: AsyncIterator[Sequence[Position]], status: Status | None, limit: int
    ) -> list[Order]:
        found: list[Order] = []
        seen: set[Position] = set()
        async for part in parts:
            # An order may stand in two lists, while it goes from one to the other.
            new = [each for each in dict.fromkeys(part) if each not in seen]
            seen.update(new)
            for start in range(0, len(new), limit):
                found += await self._true(new[start : start + limit], status)
                if len(found) >= limit:
                    return found[:limit]
        return found

    async def _true(self, rows: Sequence[Position], status: Status | None) -> list[Order]:
        known = await self._partitions.find_all([order_id for _, order_id in rows])
        orders = ((created_at, known.get(order_id)) for created_at, order_id in rows)
        return [
            order
            for created_at, order in orders
            if isinstance(order, Order)
            and order.created_at == created_at
            and status in (None, order.status)
        ]

    async def _rows_of_user(
        self, user_id: str, before: Position | None, limit: int
    ) -> AsyncIterator[Sequence[Position]]:
        while rows := await self._lists.of_user(user_id, before, limit=limit):
            yield rows
            before = rows[-1]

    async def _rows_of_all(
        self, status: Status | None, before: Position | None, limit: int
    ) -> AsyncIterator[Sequence[Position]]:
        statuses = [status] if status else list(Status)
        async for rows in self._lists.newest(statuses, before, limit=limit):
            yield [row.position for row in rows]
