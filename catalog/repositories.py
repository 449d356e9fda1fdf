"""What the catalog asks of its store, and the store in this process's memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Protocol
from uuid import UUID

from sortedcontainers import SortedDict

from catalog.columns import Facts
from catalog.domain import (
    CategoryCount,
    Filter,
    Mark,
    OutOfStock,
    Page,
    Product,
    ProductChanges,
    ProductSummary,
    ProductUnavailable,
    Reservation,
    ReservedLine,
    Sort,
    State,
    StockLine,
)
from catalog.indexes import Shelves
from catalog.registers import Register


class CatalogRepository(Protocol):
    """Products with their stock, and the reservations of that stock.

    Every method that changes something does all of it or nothing, whoever else is at it. Ids and
    times come in with the call, so that a call may be repeated. A store that is out of reach
    raises Unavailable.
    """

    async def product(self, product_id: UUID) -> Product | None: ...

    async def add(self, product: Product) -> bool:
        """Stores a new product with its initial stock; False when its id is there already."""

    async def add_all(self, products: Sequence[Product]) -> Sequence[bool]:
        """The same for many, each for itself."""

    async def update(self, product_id: UUID, changes: ProductChanges) -> Product | None:
        """The product after the changes, or None when there is none.

        ``stock_count`` sets what is available and is booked as an adjustment.
        """

    async def delete(self, product_id: UUID) -> bool:
        """False when it is not there. Holds on it stay valid; its stock is withdrawn."""

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Page:
        """Products in sorted order: from place ``skip``, or those that follow ``after``."""

    async def categories(self) -> Sequence[CategoryCount]:
        """All that have a product, by name."""

    def counts(self) -> Mapping[str, int]:
        """Products by category as last known, without waiting: for the metrics."""

    async def stock(self, product_id: UUID) -> StockLine | None:
        """The books of a product; they outlive it."""

    async def books(
        self, *, limit: int, after: UUID | None = None
    ) -> tuple[Sequence[StockLine], UUID | None]:
        """Books behind those of ``after``, and behind which to go on, None at the end.

        In an order of the store's own. Those of a product that never moved may be left out.
        """

    async def reserve(
        self, order_id: UUID, user_id: str, quantities: Mapping[UUID, int], *, now: datetime
    ) -> Reservation:
        """Holds all of it, or nothing. Asked again with the same, gives the same reservation.

        Raises ProductUnavailable, OutOfStock, ReservationClosed, ReservationMismatch.
        """

    async def settle(self, order_id: UUID, state: State, *, now: datetime) -> Reservation | None:
        """The reservation after the move, or as it was when it may not make that move.

        None for an unknown id; one that was to be released or returned can never be held then.
        """

    async def settle_all(
        self, moves: Sequence[tuple[UUID, State]], *, now: datetime
    ) -> Sequence[Reservation | None]:
        """The same for many, each for itself."""

    async def reservations(
        self,
        state: State,
        *,
        until: datetime,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
    ) -> Sequence[Reservation]:
        """Those in ``state`` since ``until`` or longer, longest first, behind ``after``."""

    async def ping(self) -> bool:
        """Whether the store answers."""

    def unready(self) -> str | None:
        """Why no traffic may come now, as last known, or None."""

    async def close(self) -> None: ...


class MemoryCatalog:
    """The store in this process's memory.

    No method awaits anything but a search by words, so each runs alone from its first line to its
    last. What a change does depends on its arguments and the store alone: the same calls make the
    same store again.
    """

    def __init__(self, register: Register) -> None:
        self._products: dict[int, Product] = {}  # by the numbers of their ids
        self._books: SortedDict[UUID, StockLine] = SortedDict()  # once they have moved
        self._shelves = Shelves()
        self._register = register

    async def product(self, product_id: UUID) -> Product | None:
        return self._products.get(product_id.int)

    async def add(self, product: Product) -> bool:
        product_id = product.product_id
        if product_id.int in self._products:
            return False
        if (line := self._books.get(product_id)) is not None:
            self._books[product_id] = line.reopened(product.stock_count)
        self._put(product)
        return True

    async def add_all(self, products: Sequence[Product]) -> Sequence[bool]:
        return [await self.add(product) for product in products]

    async def update(self, product_id: UUID, changes: ProductChanges) -> Product | None:
        known = self._products.get(product_id.int)
        if known is None:
            return None
        product = replace(known, **changes)
        if product.stock_count != known.stock_count:
            self._books[product_id] = self._line(product_id).adjusted(product.stock_count)
        self._put(product)
        return product

    async def delete(self, product_id: UUID) -> bool:
        if product_id.int not in self._products:
            return False
        self._books[product_id] = self._line(product_id).closed()
        del self._products[product_id.int]
        self._shelves.remove(product_id.int)
        return True

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Page:
        found = await self._shelves.page(where, sort, limit=limit, skip=skip, after=after)
        return Page([*map(self._shown, found.rows)], found.total, found.has_more)

    async def categories(self) -> Sequence[CategoryCount]:
        return [CategoryCount(name, count) for name, count in sorted(self.counts().items())]

    def counts(self) -> Mapping[str, int]:
        return self._shelves.counts()

    async def stock(self, product_id: UUID) -> StockLine | None:
        is_known = product_id in self._books or product_id.int in self._products
        return self._line(product_id) if is_known else None

    async def books(
        self, *, limit: int, after: UUID | None = None
    ) -> tuple[Sequence[StockLine], UUID | None]:
        following = self._books.irange(minimum=after, inclusive=(False, True))
        lines = [self._books[product_id] for product_id in islice(following, limit)]
        return lines, lines[-1].product_id if len(lines) == limit else None

    async def reserve(
        self, order_id: UUID, user_id: str, quantities: Mapping[UUID, int], *, now: datetime
    ) -> Reservation:
        known = self._register.get(order_id)
        if known is not None:
            return known.asked_again(user_id, quantities)
        lines = self._reserved_lines(quantities)
        for line in lines:
            self._rebook(self._line(line.product_id).held(line.quantity))
        reservation = Reservation(
            order_id=order_id,
            user_id=user_id,
            state=State.HELD,
            lines=lines,
            created_at=now,
            updated_at=now,
        )
        self._register.put(reservation)
        return reservation

    async def settle(self, order_id: UUID, state: State, *, now: datetime) -> Reservation | None:
        known = self._register.get(order_id)
        if known is None:
            if state is not State.SOLD:
                self._register.put(Reservation.marker(order_id, state, now=now))
            return None
        if not known.may_become(state):
            return known
        for line in known.lines:
            book = self._line(line.product_id)
            self._rebook(book.settled(line.quantity, origin=known.state, state=state))
        moved = known.moved(state, now=now)
        self._register.put(moved)
        return moved

    async def settle_all(
        self, moves: Sequence[tuple[UUID, State]], *, now: datetime
    ) -> Sequence[Reservation | None]:
        return [await self.settle(order_id, state, now=now) for order_id, state in moves]

    async def reservations(
        self,
        state: State,
        *,
        until: datetime,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
    ) -> Sequence[Reservation]:
        return self._register.page(state, until=until, limit=limit, after=after)

    async def ping(self) -> bool:
        return True

    def unready(self) -> str | None:
        return None

    async def close(self) -> None:
        """Memory has nothing to give back."""

    def _shown(self, row: int) -> ProductSummary:
        """One that was deleted during a search is shown as it was."""
        columns = self._shelves.columns
        return self._products.get(columns.number(row)) or columns.summary(row)

    def _put(self, product: Product) -> None:
        self._products[product.product_id.int] = product
        self._shelves.put(Facts.of(product, in_stock=product.stock_count > 0))

    def _line(self, product_id: UUID) -> StockLine:
        """The books; of a product whose stock never moved they say what it came with."""
        line: StockLine | None = self._books.get(product_id)
        if line is not None:
            return line
        stock = self._products[product_id.int].stock_count
        return StockLine(product_id=product_id, initial=stock, available=stock)

    def _reserved_lines(self, quantities: Mapping[UUID, int]) -> tuple[ReservedLine, ...]:
        """What is to be held, if all of it can be."""
        gone = [each for each in quantities if each.int not in self._products]
        if gone:
            raise ProductUnavailable(gone)
        products = [self._products[product_id.int] for product_id in quantities]
        short = {
            product.product_id: product.stock_count
            for product in products
            if product.stock_count < quantities[product.product_id]
        }
        if short:
            raise OutOfStock(short)
        return tuple(
            ReservedLine(
                product_id=product.product_id,
                name=product.name,
                price=product.price,
                quantity=quantities[product.product_id],
            )
            for product in products
        )

    def _rebook(self, line: StockLine) -> None:
        """New books of a product, and the product showing what is available by them."""
        self._books[line.product_id] = line
        product = self._products.get(line.product_id.int)
        if product is not None and product.stock_count != line.available:
            self._put(replace(product, stock_count=line.available))
