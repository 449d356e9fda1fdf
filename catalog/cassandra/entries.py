"""The entries of one order, in the books of its products: the home first, the others follow it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from catalog.cassandra import movements
from catalog.cassandra.desks import Desks
from catalog.cassandra.movements import MAKING, Entry, Gone, Short
from catalog.cassandra.register import Asked, Known
from catalog.domain import OutOfStock, ProductUnavailable, State

OPEN = (MAKING, State.HELD)


class Entries:
    """Read and moved through the desks."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def home(self, order_id: UUID, asked: Asked) -> Entry | None:
        return (await self._desks.entries(asked.home, [order_id])).get(order_id)

    async def all(self, order_id: UUID, asked: Asked) -> list[tuple[UUID, Entry]]:
        found = await asyncio.gather(
            *(self._desks.entries(product_id, [order_id]) for product_id in asked.product_ids)
        )
        return [
            (product_id, entries[order_id])
            for product_id, entries in zip(asked.product_ids, found, strict=True)
            if order_id in entries
        ]

    async def true_one(self, order_id: UUID, known: Known) -> Asked | None:
        """Of the requests under this id the one that took something."""
        for asked in known.asked:
            home = await self.home(order_id, asked)
            if home is not None and home.quantity:
                return asked
        return None

    async def settle_home(self, order_id: UUID, asked: Asked, state: State, *, at: int) -> Entry:
        settle = movements.settle(order_id, state, at=at)
        moved = await self._desks.move(asked.home, settle, order_id=order_id)
        assert moved.entry is not None
        return moved.entry

    async def follow(self, order_id: UUID, asked: Asked, home: Entry | None) -> None:
        """The other lines come to where the home is; nothing stays held without one."""
        others = asked.product_ids[1:]
        if home is not None and home.state in OPEN:
            return
        movement = (
            movements.undo
            if home is None
            else movements.settle(order_id, State(home.state), at=home.updated_at)
        )
        await asyncio.gather(
            *(self._desks.move(each, movement, order_id=order_id) for each in others)
        )

    async def undo(self, order_id: UUID, asked: Asked, undo: movements.Movement) -> bool:
        """Whether nothing of it is left. The home first: the others count for nothing without."""
        for product_id in asked.product_ids:
            try:
                moved = await self._desks.move(product_id, undo, order_id=order_id)
            except Gone:
                continue
            if product_id == asked.home and moved.entry is not None:
                await self.follow(order_id, asked, moved.entry)
                return False
        return True

    async def shortage(
        self, rest: Sequence[tuple[UUID, Entry]], refusal: Gone | Short
    ) -> ProductUnavailable | OutOfStock:
        """Of each product from the refused one on, what is missing."""
        if isinstance(refusal, Gone):
            return ProductUnavailable([rest[0][0]])
        short = {rest[0][0]: refusal.available}
        books = await asyncio.gather(*(self._desks.books(product) for product, _ in rest[1:]))
        for (product_id, entry), line in zip(rest[1:], books, strict=True):
            if line is not None and line.is_open and line.available < entry.quantity:
                short[product_id] = line.available
        return OutOfStock(short)
