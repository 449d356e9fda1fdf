"""The embedded catalogue, outliving its process: the memory store, and a journal of its changes.

Whatever moves stock is safe on the disk before it is answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import compress
from uuid import UUID

import msgspec

from catalog.domain import Product, ProductChanges, Reservation, State, StockLine
from catalog.registers import Register
from catalog.repositories import MemoryCatalog
from store.journal import Change, Journal

PRODUCTS, STOCK, RESERVATIONS = "products", "stock", "reservations"


class ProductRow(msgspec.Struct):
    """Without its stock: the books say how much there is."""

    name: str
    category: str
    price: Decimal
    description: str | None
    manufacturer: str | None


decode_product = msgspec.json.Decoder(ProductRow).decode
decode_stock = msgspec.json.Decoder(StockLine).decode
decode_reservation = msgspec.json.Decoder(Reservation).decode


class JournaledCatalog(MemoryCatalog):
    """The memory changes at once; whoever changed it goes on when the journal has it."""

    def __init__(self, register: Register, journal: Journal) -> None:
        super().__init__(register)
        self._journal = journal
        books = {UUID(key): decode_stock(row) for key, row in journal.take(STOCK).items()}
        for key, row in journal.take(PRODUCTS).items():
            self._put(restored(decode_product(row), books[UUID(key)]))
        moved = (line for line in books.values() if self._has_moved(line))
        self._books.update((line.product_id, line) for line in moved)
        reservations = [decode_reservation(row) for row in journal.take(RESERVATIONS).values()]
        for reservation in sorted(reservations, key=lambda each: each.updated_at):
            register.put(reservation)
        journal.keep(self._rows)

    async def add(self, product: Product) -> bool:
        return (await self.add_all([product]))[0]

    async def add_all(self, products: Sequence[Product]) -> Sequence[bool]:
        self._journal.admit()
        added = [await MemoryCatalog.add(self, product) for product in products]
        await self._book(*(product.product_id for product in compress(products, added)))
        return added

    async def update(self, product_id: UUID, changes: ProductChanges) -> Product | None:
        self._journal.admit()
        product = await super().update(product_id, changes)
        if product is not None:
            await self._book(product_id)
        return product

    async def delete(self, product_id: UUID) -> bool:
        self._journal.admit()
        is_deleted = await super().delete(product_id)
        if is_deleted:
            await self._book(product_id)
        return is_deleted

    async def reserve(
        self, order_id: UUID, user_id: str, quantities: Mapping[UUID, int], *, now: datetime
    ) -> Reservation:
        self._journal.admit()
        before = self._register.get(order_id)
        reservation = await super().reserve(order_id, user_id, quantities, now=now)
        await self._move([(order_id, before)])
        return reservation

    async def settle(self, order_id: UUID, state: State, *, now: datetime) -> Reservation | None:
        return (await self.settle_all([(order_id, state)], now=now))[0]

    async def settle_all(
        self, moves: Sequence[tuple[UUID, State]], *, now: datetime
    ) -> Sequence[Reservation | None]:
        self._journal.admit()
        before = [(order_id, self._register.get(order_id)) for order_id, _ in moves]
        settled = [await MemoryCatalog.settle(self, *move, now=now) for move in moves]
        await self._move(before)
        return settled

    async def _book(self, *product_ids: UUID) -> None:
        """Keeps products as they are now, or are no longer, with their books."""
        changes: list[Change] = []
        for product_id in product_ids:
            product = self._products.get(product_id.int)
            changes.append((PRODUCTS, product_id, row_of(product) if product else None))
            changes.append((STOCK, product_id, self._line(product_id)))
        await self._journal.write(changes, synced=True)

    async def _move(self, before: Sequence[tuple[UUID, Reservation | None]]) -> None:
        """Keeps reservations as they are now, with the books of what they took or gave back.

        A call that changed nothing repeats one that may not be safe yet: it waits for that.
        """
        changes: list[Change] = []
        for order_id, earlier in before:
            after = self._register.get(order_id)
            if after is not earlier:
                lines = after.lines if after else ()
                books = ((STOCK, each.product_id, self._line(each.product_id)) for each in lines)
                changes += [(RESERVATIONS, order_id, after), *books]
        if changes:
            await self._journal.write(changes, synced=True)
        else:
            await self._journal.settled()

    def _has_moved(self, line: StockLine) -> bool:
        """Whether the books say more than the product itself."""
        return line.product_id.int not in self._products or line != self._line(line.product_id)

    def _rows(self) -> Iterator[Change]:
        for product in list(self._products.values()):
            yield PRODUCTS, product.product_id, row_of(product)
            yield STOCK, product.product_id, self._line(product.product_id)
        for line in list(self._books.values()):
            if line.product_id.int not in self._products:  # deleted, and its books outlive it
                yield STOCK, line.product_id, line
        for reservation in self._register.all():
            yield RESERVATIONS, reservation.order_id, reservation


def restored(row: ProductRow, line: StockLine) -> Product:
    return Product(
        product_id=line.product_id,
        stock_count=line.available,
        **msgspec.structs.asdict(row),
    )


def row_of(product: Product) -> ProductRow:
    return ProductRow(
        product.name,
        product.category,
        product.price,
        product.description,
        product.manufacturer,
    )
