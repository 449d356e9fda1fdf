"""Whether the tables say the same: what differs, in sentences, and how it is mended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog.cassandra import movements
from catalog.cassandra.desks import Desks, line_of
from catalog.cassandra.movements import MAKING
from catalog.cassandra.reading import ranges
from catalog.cassandra.register import Register
from catalog.cassandra.rows import stock_of, why_refused
from catalog.domain import State
from store.cassandra.bridge import Bridge
from store.cassandra.patience import patiently
from store.tasks import Tasks

RANGES = 256
AT_ONCE = 64
# What is under way is not a difference.
LOOK_AGAIN_SECONDS = 1.5

Repair = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Difference:
    """``mend``, which may be begun again, is None where a person has to decide."""

    text: str
    mend: Repair | None = None


@dataclass(slots=True)
class Tally:
    """How many rows were looked at."""

    products: int = 0
    books: int = 0
    differences: list[Difference] = field(default_factory=list)


class Audit:
    """Looks at every product and all books, part by part, while the shop serves."""

    def __init__(self, bridge: Bridge, tasks: Tasks) -> None:
        self._bridge = bridge
        self._desks = Desks(bridge, tasks, keep_seconds=0, moved=lambda *_: None)
        self._register = Register(bridge, tasks, keep_seconds=0)

    async def parts(self) -> AsyncIterator[Tally]:
        """One tally for each of RANGES parts."""
        for after, to in ranges(RANGES):
            products = await self._scan("all_products", after, to)
            books = await self._scan("all_books", after, to)
            checks = [(self._product_differs, row[1:]) for row in products]
            checks += [(self._books_differ, row) for row in books]
            yield Tally(len(products), len(books), await self._differences(checks))

    async def _scan(self, name: str, after: int, to: int) -> list[Any]:
        return await patiently(
            lambda: asyncio.to_thread(lambda: list(self._bridge.scan(name, after, to)))
        )

    async def _differences(self, checks: Sequence[Any]) -> list[Difference]:
        """Those that are still there when looked at again."""
        suspects = [check for check, found in await self._checked(checks) if found]
        if not suspects:
            return []
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return [found for _, found in await self._checked(suspects) if found]

    async def _checked(self, checks: Sequence[Any]) -> list[tuple[Any, Difference | None]]:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(check: Any) -> tuple[Any, Difference | None]:
            async with at_once:
                look, row = check
                return check, await patiently(lambda: look(row[0]))

        return await asyncio.gather(*map(one, checks))

    async def _product_differs(self, product_id: UUID) -> Difference | None:
        rows = await self._bridge.ask("product", product_id)
        if not rows:
            return None
        _, name, category, price, quantity, *_ = rows[0]
        if reason := why_refused(name, category, price):
            return Difference(f"Product {product_id} is not shown: it has {reason}.")
        books = await self._bridge.ask("available", product_id)
        available = books[0][0] if books else None
        if available is None and quantity != stock_of(quantity):
            return Difference(
                f"Product {product_id} has quantity {quantity}, which counts as 0.",
                lambda: self._bridge.ask("follow", 0, product_id),
            )
        if available is not None and available != quantity:
            return Difference(
                f"Product {product_id} has quantity {quantity}, and {available} by its books.",
                lambda: self._follow(product_id),
            )
        return None

    async def _follow(self, product_id: UUID) -> None:
        """What the books say by now, for they move while the shop serves."""
        ((available,),) = await self._bridge.ask("available", product_id)
        await self._bridge.ask("follow", available, product_id)

    async def _books_differ(self, product_id: UUID) -> Difference | None:
        rows = await self._bridge.ask("books", product_id)
        if not rows or rows[0][0] is None:
            return None
        _, *counts, is_open = rows[0]
        line = line_of(product_id, counts, is_open=is_open)
        if not line.is_balanced:
            return Difference(f"The books of {product_id} do not balance: {line}.")
        return await self._state_differs(product_id, is_open=is_open) or await self._entries_differ(
            product_id, line.reserved
        )

    async def _state_differs(self, product_id: UUID, *, is_open: bool) -> Difference | None:
        is_there = bool(await self._bridge.ask("settled_product", product_id))
        if is_there == is_open:
            return None
        if is_there:
            return Difference(
                f"The books of {product_id} are closed, and the product is there.",
                lambda: self._desks.move(product_id, movements.reopen(0)),
            )
        return Difference(
            f"The books of {product_id} are open, and there is no such product.",
            lambda: self._desks.move(product_id, movements.close),
        )

    async def _entries_differ(self, product_id: UUID, reserved: int) -> Difference | None:
        rows = await self._bridge.ask("orders_of", product_id)
        held = {
            order_id: quantity
            for order_id, quantity, state in rows
            if state in (MAKING, State.HELD)
        }
        if sum(held.values()) != reserved:
            return Difference(
                f"The books of {product_id} say {reserved} held, its orders {sum(held.values())}."
            )
        for order_id, quantity in held.items():
            known = await self._register.known(order_id)
            if not any((product_id, quantity) in asked.quantities for asked in known.asked):
                return Difference(
                    f"Order {order_id} holds {quantity} of {product_id} and never asked for it.",
                    self._undoing(product_id, order_id),
                )
        return None

    def _undoing(self, product_id: UUID, order_id: UUID) -> Repair:
        return lambda: self._desks.move(product_id, movements.undo, order_id=order_id)
