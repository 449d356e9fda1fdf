"""The orders service between two fake ones, in a time of its own."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from orders.alarm import Alarm
from orders.clients import Accounts, Catalog
from orders.domain import Destination, Line, Order, Status, Timetable
from orders.ledger import Ledger
from orders.outbox import Relay
from orders.placing import Placed, Placing, Terms
from orders.repositories import OrderRepository
from orders.services import OrderService, Purchase
from orders.sweeper import Sweeper
from store.tasks import Tasks
from tests.orders.peers import FakeAccounts, FakeCatalog, Product, Time
from tests.reopening import Reopening

TIMETABLE = Timetable(
    processing_delay=timedelta(seconds=5),
    shipping_delay=timedelta(seconds=5),
    retention=timedelta(seconds=300),
    cancelled_retention=timedelta(hours=24),
)
DELIVERY = timedelta(seconds=100)
PRICE = Decimal("99.99")


@dataclass(frozen=True)
class Person:
    username: str | None
    is_admin: bool = False


ALICE, BOB, BOSS = Person("alice"), Person("bob"), Person("boss", is_admin=True)


class World:
    def __init__(
        self, repository: OrderRepository, *, most_open: int = 1000, patience: float = 5.0
    ) -> None:
        self.repository = repository
        self.time = Time()
        self.catalog, self.accounts = FakeCatalog(), FakeAccounts()
        self.kettle = uuid4()
        self.catalog.products[self.kettle] = Product(PRICE, stock=1000)
        self.making, self.telling = Tasks(), Tasks()
        self.alarm = Alarm()
        self.terms = Terms(
            timetable=TIMETABLE,
            most_open=most_open,
            draw_delivery=lambda: DELIVERY,
            now=self.time,
            wall=self.time,
            patience=patience,
            sleep=self.time.sleep,
        )
        self._build()

    def _build(self) -> None:
        catalog = Catalog(self.catalog.peer("catalog"))
        accounts = Accounts(self.accounts.peer("accounts"))
        self.relays = {
            Destination.CATALOG: self._relay(Destination.CATALOG, catalog),
            Destination.ACCOUNTS: self._relay(Destination.ACCOUNTS, accounts),
        }
        ledger = Ledger(self.repository, self.alarm, self.relays)
        self.placing = Placing(self.repository, ledger, catalog, self.making, self.terms)
        self.service = OrderService(self.repository, ledger, self.placing, self.making, self.terms)
        self.sweeper = Sweeper(self.repository, ledger, catalog, self.placing, now=self.time)

    def _relay(self, destination: Destination, courier: Catalog | Accounts) -> Relay:
        return Relay(destination, self.repository, courier, self.alarm, longest_pause=0.01)

    async def open(self) -> None:
        for relay in self.relays.values():
            await relay.open(self.telling)

    async def close(self) -> None:
        await self.making.close(seconds=0)
        await self.telling.close(seconds=0)

    async def restart(self) -> None:
        """Another process on the same store: nothing else is left of the first."""
        await self.close()
        if isinstance(self.repository, Reopening):
            await self.repository.reopen()
        self.making, self.telling = Tasks(), Tasks()
        self._build()
        await self.open()
        await self.placing.resume()

    def purchase(
        self,
        *,
        user_id: str = "alice",
        quantity: int = 1,
        price: Decimal = PRICE,
        order_id: UUID | None = None,
        seconds: float | None = None,
    ) -> Purchase:
        valid_until = None if seconds is None else self.time() + timedelta(seconds=seconds)
        return Purchase(
            user_id=user_id,
            lines=(Line(self.kettle, quantity, price),),
            total=price * quantity,
            order_id=order_id,
            valid_until=valid_until,
        )

    async def place(self, user_id: str = "alice", *, quantity: int = 1) -> Order:
        placed: Placed = await self.service.place(self.purchase(user_id=user_id, quantity=quantity))
        return placed.order

    async def go_on(self, seconds: float) -> int:
        """Time passes, and the clock takes what is due."""
        return await self.service.advance_due(self.time.go_on(seconds))

    async def bring_to(self, order: Order, status: Status) -> Order:
        while order.status is not status:
            order = await self.service.set_status(order.id, order.stage.next or status)
        return order

    async def everything_is_told(self) -> None:
        for relay in self.relays.values():
            await relay.flush(seconds=5)

    @property
    def stock(self) -> int:
        return self.catalog.products[self.kettle].stock
