"""The composition root of orders: builds the store, the clients and the service, and runs them."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import cast

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
from store import clock, http, service
from store.idempotency import IdempotencyKeys
from store.tasks import Tasks

PLACING_SECONDS = 8.0
FLUSHING_SECONDS = 10.0

log = logging.getLogger(__name__)


class OrdersConfig(service.ServiceConfig):
    name = "orders"
    about = "Orders from their placing to their delivery, and who is told about it."

    repository: OrderRepository
    service: OrderService
    keys: IdempotencyKeys

    async def open(self) -> None:
        self.repository = JournaledOrders(self.journal) if self.journal else MemoryOrders()
        self.keys = IdempotencyKeys(journal=self.journal)
        self._driving, self._making, self._telling = Tasks(), Tasks(), Tasks()
        catalog = Catalog(http.peer("catalog", caller="orders"))
        accounts = Accounts(http.peer("accounts", caller="orders"))
        alarm, terms = Alarm(), _terms()
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

    async def close(self) -> None:
        """Nothing new begins, then what was begun ends, then it is told."""
        await self._driving.close(seconds=0)
        await self._making.close(seconds=PLACING_SECONDS)
        flushing = (relay.flush(seconds=FLUSHING_SECONDS) for relay in self._relays.values())
        await asyncio.gather(*flushing)
        await self._telling.close(seconds=0)
        await self._say_what_is_left()

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
