"""The composition root of orders: builds the store, the clients and the service, and runs them."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from django.apps import apps
from django.conf import settings

from orders import metrics
from orders.alarm import Alarm
from orders.clients import Accounts, Catalog
from orders.clock import Clock, SteadyTime
from orders.domain import Destination, Timetable
from orders.journal import JournaledOrders
from orders.ledger import Ledger
from orders.memory import MemoryOrders
from orders.outbox import Relay
from orders.placing import Placing, Terms
from orders.repositories import OrderRepository
from orders.services import OrderService
from orders.sweeper import Sweeper
from orders.takeover import Takeover
from store import clock, http, service
from store.idempotency import IdempotencyKeys
from store.tasks import Tasks

if TYPE_CHECKING:
    from orders.cassandra.store import CassandraOrders

PLACING_SECONDS = 8.0
FLUSHING_SECONDS = 10.0

log = logging.getLogger(__name__)


class OrdersConfig(service.ServiceConfig):
    name = "orders"
    about = "Orders from their placing to their delivery, and who is told about it."

    repository: OrderRepository
    shared: "CassandraOrders | None" = None
    service: OrderService
    keys: IdempotencyKeys

    @property
    def is_in_memory(self) -> bool:
        return "orders" not in settings.DATABASES

    async def open(self) -> None:
        alarm, terms = Alarm(), _terms()
        self._open_store(alarm)
        self._driving, self._making, self._telling = Tasks(), Tasks(), Tasks()
        catalog = Catalog(http.peer("catalog", caller="orders"))
        accounts = Accounts(http.peer("accounts", caller="orders"))
        self._relays = {
            Destination.CATALOG: Relay(Destination.CATALOG, self.repository, catalog, alarm),
            Destination.ACCOUNTS: Relay(Destination.ACCOUNTS, self.repository, accounts, alarm),
        }
        ledger = Ledger(self.repository, alarm, self._relays)
        placing = Placing(self.repository, ledger, catalog, self._making, terms)
        self.service = OrderService(self.repository, ledger, placing, self._making, terms)
        metrics.show(self.repository)
        for destination, relay in self._relays.items():
            metrics.OUTBOX_AGE.labels(destination.value).set_function(relay.seconds_waiting)
            await relay.open(self._telling)
        await placing.resume()
        sweeper = Sweeper(self.repository, ledger, catalog, placing, now=terms.now)
        self._driving.supervise(Clock(self.service, alarm, now=terms.now).run, name="clock")
        self._driving.supervise(sweeper.run, name="sweeper")
        if self.shared is not None:
            takeover = Takeover(placing, self._relays.values())
            self._driving.supervise(takeover.run, name="takeover")

    def unready(self) -> str | None:
        return self.shared.unready() if self.shared else None

    def begin_drain(self) -> None:
        """Others take its shards over at once; what it has begun it ends itself."""
        if self.shared is not None:
            self._making.start(self.shared.retire(), name="retirement")

    async def close(self) -> None:
        """Nothing new begins, then what was begun ends, then it is told."""
        await self._driving.close(seconds=0)
        await self._making.close(seconds=PLACING_SECONDS)
        flushing = (relay.flush(seconds=FLUSHING_SECONDS) for relay in self._relays.values())
        await asyncio.gather(*flushing)
        await self._telling.close(seconds=0)
        await self._say_what_is_left()
        if self.shared is not None:
            await self.shared.close()

    def _open_store(self, alarm: Alarm) -> None:
        self.shared = None
        if self.is_in_memory:
            self.repository = JournaledOrders(self.journal) if self.journal else MemoryOrders()
            self.keys = IdempotencyKeys(journal=self.journal)
        else:
            self._open_cassandra(alarm)

    def _open_cassandra(self, alarm: Alarm) -> None:
        # Here, so that nobody else pays for the driver.
        from orders.cassandra.schema import ORDERS
        from orders.cassandra.store import CassandraOrders
        from store.cassandra.bridge import Bridge
        from store.cassandra.keys import SharedKeys

        bridge = Bridge(settings.DATABASES["orders"], ORDERS)
        self.repository = self.shared = CassandraOrders(bridge, ring=alarm.ring)
        self.shared.open()
        self.keys = SharedKeys(bridge)

    async def _say_what_is_left(self) -> None:
        left = {str(each): self.repository.undelivered(each) for each in Destination}
        if any(left.values()):
            log.warning("Messages that were not delivered: %s", left)
        if unfinished := await self.repository.pending():
            log.warning("%d orders end in the making", len(unfinished))


def _terms() -> Terms:
    return Terms(
        timetable=Timetable(
            processing_delay=timedelta(seconds=settings.ORDER_PROCESSING_DELAY),
            shipping_delay=timedelta(seconds=settings.ORDER_SHIPPING_DELAY),
            retention=timedelta(seconds=settings.ORDER_RETENTION),
            cancelled_retention=timedelta(seconds=settings.ORDER_CANCELLED_RETENTION),
        ),
        most_open=settings.MAX_OPEN_ORDERS_PER_USER,
        draw_delivery=_draw_delivery(random.Random()),  # noqa: S311  # no secret
        now=SteadyTime(clock.now),
        wall=clock.now,
    )


def _draw_delivery(dice: random.Random) -> Callable[[], timedelta]:
    shortest, longest = settings.ORDER_DELIVERY_MIN, settings.ORDER_DELIVERY_MAX
    return lambda: timedelta(seconds=dice.uniform(shortest, longest))


def _config() -> OrdersConfig:
    return cast(OrdersConfig, apps.get_app_config("orders"))


def orders() -> OrderService:
    return _config().service


def keys() -> IdempotencyKeys:
    return _config().keys
