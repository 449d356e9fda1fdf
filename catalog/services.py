"""What one can do with the catalog: look, keep it, and reserve its stock for orders."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

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
from catalog.metrics import UNKNOWN_RESERVATIONS
from catalog.repositories import CatalogRepository

log = logging.getLogger(__name__)

UNKNOWN = "unknown"


class CatalogService:
    """The products."""

    def __init__(
        self, repository: CatalogRepository, *, new_id: Callable[[], UUID] = uuid4
    ) -> None:
        self._repository = repository
        self._new_id = new_id

    async def product(self, product_id: UUID) -> Product:
        return _found(await self._repository.product(product_id))

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Page:
        return await self._repository.page(where, sort, limit=limit, skip=skip, after=after)

    async def categories(self) -> Sequence[CategoryCount]:
        return await self._repository.categories()

    async def create(
        self,
        *,
        name: str,
        category: str,
        price: Decimal,
        stock_count: int,
        description: str | None = None,
        manufacturer: str | None = None,
    ) -> Product:
        product = Product(
            product_id=self._new_id(),
            name=name,
            category=category,
            price=price,
            stock_count=stock_count,
            description=description,
            manufacturer=manufacturer,
        )
        await self._repository.add(product)
        return product

    async def update(self, product_id: UUID, changes: ProductChanges) -> Product:
        return _found(await self._repository.update(product_id, changes))

    async def delete(self, product_id: UUID) -> None:
        if not await self._repository.delete(product_id):
            raise ProductNotFound

    async def add_missing(self, products: Iterable[Product]) -> Counter[bool]:
        """How many were added (True), and how many ids were there before (False)."""
        return Counter(await self._repository.add_all(list(products)))

    async def is_store_up(self) -> bool:
        return await self._repository.ping()


class ReservationService:
    """The stock of orders: held, then sold or released; returned when an order is cancelled."""

    def __init__(self, repository: CatalogRepository, *, now: Callable[[], datetime]) -> None:
        self._repository = repository
        self._now = now

    async def reserve(
        self, order_id: UUID, user_id: str, items: Iterable[tuple[UUID, int]]
    ) -> Reservation:
        """Holds all the items or none; those of one product are added up."""
        quantities: Counter[UUID] = Counter()
        for product_id, quantity in items:
            quantities[product_id] += quantity
        return await self._repository.reserve(order_id, user_id, quantities, now=self._now())

    async def settle(self, moves: Sequence[tuple[UUID, State]]) -> list[str]:
        """The states in which the reservations then are, in the same order."""
        settled = await self._repository.settle_all(moves, now=self._now())
        pairs = zip(moves, settled, strict=True)
        return [_outcome(*move, reservation) for move, reservation in pairs]

    async def older_than(
        self,
        seconds: int,
        *,
        state: State,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
    ) -> Sequence[Reservation]:
        """Those that have been in ``state`` for so long, longest first."""
        until = self._now() - timedelta(seconds=seconds)
        return await self._repository.reservations(state, until=until, limit=limit, after=after)

    async def books(
        self, *, limit: int, after: UUID | None = None
    ) -> tuple[Sequence[StockLine], UUID | None]:
        """A page of the stock's books, and behind which product the next one begins."""
        return await self._repository.books(limit=limit, after=after)


def _outcome(order_id: UUID, wanted: State, reservation: Reservation | None) -> str:
    if reservation is None:
        UNKNOWN_RESERVATIONS.labels(call=wanted).inc()
        log.warning("Reservation %s is unknown; asked to be %s", order_id, wanted)
        return UNKNOWN if wanted is State.SOLD else wanted
    if wanted is State.SOLD and reservation.state is State.RELEASED:
        log.warning("Order %s was sold after its hold had been released", order_id)
    return reservation.state


def _found(product: Product | None) -> Product:
    if product is None:
        raise ProductNotFound
    return product
