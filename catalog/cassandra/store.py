"""The catalogue on Cassandra, behind the same promise as the store in memory."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cassandra.query import UNSET_VALUE

from catalog.cassandra import movements
from catalog.cassandra.changes import Changes
from catalog.cassandra.desks import Desks
from catalog.cassandra.importing import Imports
from catalog.cassandra.lists import Lists
from catalog.cassandra.quantities import Quantities
from catalog.cassandra.recovery import Recovery
from catalog.cassandra.register import Register
from catalog.cassandra.reserving import LEFT_BEHIND_SECONDS, Reservations
from catalog.cassandra.rows import product_of, values_of
from catalog.domain import (
    CategoryCount,
    Filter,
    Mark,
    Page,
    Product,
    ProductChanges,
    ProductNotFound,
    Reservation,
    Sort,
    State,
    StockLine,
)
from store.cassandra.bridge import Bridge, OutcomeUnknown, StoreAway
from store.cassandra.link import dial
from store.tasks import Tasks

log = logging.getLogger(__name__)

READ_AGAIN_SECONDS = 1.0
SECONDS_TO_CLOSE = 10.0
AWAY = "The catalogue's database is away."
READING = "The catalogue is being read."
TEXTS = ("name", "category", "price", "description", "manufacturer")


class CassandraCatalog:
    """Opens at once and is ready when Cassandra is; until then every call raises StoreAway."""

    def __init__(self, bridge: Bridge, *, keep_seconds: float) -> None:
        """``keep_seconds``: for how long reservations are known after they ended."""
        self._tasks = Tasks()
        self._stale = asyncio.Event()
        self._bridge = bridge
        self._lists = Lists(self._bridge, available=self._pending)
        self._changes = Changes(
            self._bridge,
            refresh=self._lists.refresh,
            reload=self._lists.load,
            reload_soon=self._stale.set,
        )
        self._imports = Imports(self._bridge, self._lists, add=self._added)
        self._quantities = Quantities(self._bridge, self._tasks, self._changes, self._lists)
        keep = int(keep_seconds)
        self._desks = Desks(
            self._bridge, self._tasks, keep_seconds=keep, moved=self._quantities.moved
        )
        register = Register(self._bridge, self._tasks, keep_seconds=keep)
        self._reservations = Reservations(self._desks, register, self)
        self._recovery = Recovery(register, self._reservations)

    def open(self) -> None:
        self._tasks.supervise(self._run, name="catalogue on Cassandra")
        self._tasks.supervise(self._read_anew, name="reading everything anew")
        self._tasks.supervise(self._undo_left_behind, name="orders left behind")

    async def close(self) -> None:
        """What is under way ends first: an acknowledged change is always announced."""
        await self._tasks.close(seconds=SECONDS_TO_CLOSE)
        await self._bridge.close()

    async def ping(self) -> bool:
        try:
            await self._bridge.ask("ping")
        except StoreAway:
            return False
        return True

    def unready(self) -> str | None:
        if self._lists.is_loaded and self._changes.is_fresh:
            return None
        if reason := self._bridge.outage.reason:
            return f"The catalogue's database cannot be used: {reason}."
        return READING if self._bridge.is_open else AWAY

    # Products

    async def product(self, product_id: UUID) -> Product | None:
        rows, books = await asyncio.gather(
            self._bridge.ask("product", product_id), self._bridge.ask("available", product_id)
        )
        return product_of(rows[0], available=books[0][0] if books else None) if rows else None

    async def add(self, product: Product) -> bool:
        return (await self.add_all([product]))[0]

    async def add_all(self, products: Sequence[Product]) -> list[bool]:
        async with self._changes.announced([product.product_id for product in products]):
            if len(products) == 1:
                return [await self._added(products[0])]
            return await self._imports.add_all(products)

    async def update(self, product_id: UUID, changes: ProductChanges) -> Product | None:
        if await self.product(product_id) is None:
            return None
        async with self._changes.announced([product_id]):
            if changes.keys() - {"stock_count"} and not await self._changed(product_id, changes):
                return None
            if "stock_count" in changes:
                movement = movements.set_available(changes["stock_count"])
                try:
                    await self._desks.move(product_id, movement)
                except ProductNotFound:
                    return None
            await self._lists.refresh([product_id])
            return await self.product(product_id)

    async def delete(self, product_id: UUID) -> bool:
        if await self.product(product_id) is None:
            return False
        async with self._changes.announced([product_id]):
            # First the books: what dies in between can be deleted once more.
            await self._desks.move(product_id, movements.close)
            applied = await self._decided("delete_product", product_id)
            await self._lists.refresh([product_id])
            return applied

    async def find(self, product_ids: Sequence[UUID]) -> Mapping[UUID, Any]:
        """Those that are for sale; what the lists do not know yet is looked for."""
        await self._changes.be_fresh()
        found = {product_id: self._lists.find(product_id) for product_id in product_ids}
        for product_id in [each for each in product_ids if found[each] is None]:
            found[product_id] = await self.product(product_id)
        return {product_id: product for product_id, product in found.items() if product}

    # Lists

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Page:
        await self._changes.be_fresh()
        return await self._lists.page(where, sort, limit=limit, skip=skip, after=after)

    async def categories(self) -> Sequence[CategoryCount]:
        await self._changes.be_fresh()
        return [CategoryCount(name, count) for name, count in sorted(self.counts().items())]

    def counts(self) -> Mapping[str, int]:
        return self._lists.counts()

    # Stock

    async def stock(self, product_id: UUID) -> StockLine | None:
        return await self._desks.books(product_id)

    async def books(
        self, *, limit: int, after: UUID | None = None
    ) -> tuple[Sequence[StockLine], UUID | None]:
        return await self._desks.page(limit=limit, after=after)

    async def reserve(
        self, order_id: UUID, user_id: str, quantities: Mapping[UUID, int], *, now: datetime
    ) -> Reservation:
        return await self._reservations.reserve(order_id, user_id, quantities, now=now)

    async def settle(self, order_id: UUID, state: State, *, now: datetime) -> Reservation | None:
        return await self._reservations.settle(order_id, state, now=now)

    async def settle_all(
        self, moves: Sequence[tuple[UUID, State]], *, now: datetime
    ) -> Sequence[Reservation | None]:
        settled = (self.settle(order_id, state, now=now) for order_id, state in moves)
        return await asyncio.gather(*settled)

    async def reservations(
        self,
        state: State,
        *,
        until: datetime,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
    ) -> Sequence[Reservation]:
        return await self._reservations.page(state, until=until, limit=limit, after=after)

    # Behind the scenes

    async def _run(self) -> None:
        """Dials anew what stays away."""
        while True:
            await dial(self._bridge)
            if await self._is_read():
                await self._changes.follow()
            await self._bridge.close()

    async def _is_read(self) -> bool:
        """Whether the lists are there; they are read once, and followed from then on."""
        if self._lists.is_loaded:
            return True
        self._changes.begin()
        try:
            await self._lists.load()
        except StoreAway:
            await asyncio.sleep(READ_AGAIN_SECONDS)
        return self._lists.is_loaded

    async def _read_anew(self) -> None:
        """When another program has written: rebuild_catalog says so."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._lists.load()
            except StoreAway:
                self._stale.set()
                await asyncio.sleep(READ_AGAIN_SECONDS)

    async def finish_left_behind(self, *, now: datetime) -> None:
        await self._recovery.run(now=now)

    async def _undo_left_behind(self) -> None:
        while True:
            await asyncio.sleep(LEFT_BEHIND_SECONDS)
            if self._bridge.is_open:
                await self.finish_left_behind(now=datetime.now(UTC))

    async def _added(self, product: Product) -> bool:
        product_id, turn = product.product_id, self._lists.turn(product.product_id)
        applied, books = await asyncio.gather(
            self._decided("add_product", *values_of(product)),
            self._bridge.ask("available", product_id),
        )
        if not applied:
            return False
        if books and books[0][0] is not None:
            await self._desks.move(product_id, movements.reopen(product.stock_count))
        if not self._lists.put(turn, product):
            await self._lists.refresh([product_id])
        return True

    async def _changed(self, product_id: UUID, changes: Mapping[str, Any]) -> bool:
        values = [changes.get(name, UNSET_VALUE) for name in TEXTS]
        return await self._decided("change_product", *values, product_id)

    async def _decided(self, name: str, *values: object) -> bool:
        """Whether a conditional write on a product was applied; where that cannot be known,
        OutcomeUnknown, after which a decisive read settles it for all who read later.
        """
        try:
            return bool((await self._bridge.ask(name, *values))[0][0])
        except OutcomeUnknown:
            product_id = values[0] if name == "add_product" else values[-1]
            rows = await self._bridge.ask("settled_product", product_id)
            if name == "add_product" and rows:
                return tuple(rows[0][:4]) == values[:4]
            if name == "delete_product" and not rows:
                return True
            raise

    def _pending(self, product_id: UUID) -> int | None:
        return self._quantities.pending(product_id)
