"""The composition root of carts: builds repository, clients and services from the settings."""

import logging
from typing import TYPE_CHECKING, cast

from django.apps import apps
from django.conf import settings

from carts import metrics
from carts.checkout import CheckoutService
from carts.clients import CatalogClient, OrdersClient
from carts.journal import JournaledCarts
from carts.repositories import CartRepository, MemoryCartRepository
from carts.services import CartService
from store import clock, http, service
from store.idempotency import IdempotencyKeys
from store.tasks import Tasks

if TYPE_CHECKING:
    from store.cassandra.bridge import Bridge
    from store.cassandra.link import Link

CLOSING_SECONDS = 5.0

log = logging.getLogger(__name__)


class CartsConfig(service.ServiceConfig):
    name = "carts"
    about = "Carts, what a user looked at lately, and the checkout that turns a cart into an order."

    repository: CartRepository
    service: CartService
    checkouts: CheckoutService
    keys: IdempotencyKeys
    tasks: Tasks
    bridge: "Bridge | None" = None
    link: "Link | None" = None

    @property
    def is_in_memory(self) -> bool:
        return "carts" not in settings.DATABASES

    async def open(self) -> None:
        self.tasks, self.bridge, self.link = Tasks(), None, None
        if self.is_in_memory:
            memory = JournaledCarts(self.journal) if self.journal else MemoryCartRepository()
            self.repository, self.keys = memory, IdempotencyKeys(journal=self.journal)
        else:
            self._open_cassandra()
        catalog = CatalogClient(http.peer("catalog", caller="carts"))
        orders = OrdersClient(http.peer("orders", caller="carts"))
        self.service = CartService(self.repository, catalog, now=clock.now)
        self.checkouts = CheckoutService(self.repository, orders, self.tasks, now=clock.now)
        metrics.CHECKOUTS_RUNNING.set_function(self.checkouts.running)
        if self.is_in_memory:
            await self.checkouts.resume()
        else:
            self.tasks.supervise(self.checkouts.watch, name="checkouts left behind")

    async def close(self) -> None:
        await self.tasks.close(seconds=CLOSING_SECONDS)
        if self.bridge is not None:
            await self.bridge.close()
        elif unanswered := await self.repository.open_intents():
            log.warning("%d checkouts end without an answer from orders", len(unanswered))

    def unready(self) -> str | None:
        return self.link.unready() if self.link is not None else None

    def _open_cassandra(self) -> None:
        # Here, so that nobody else pays for the driver.
        from carts.cassandra.schema import CARTS
        from carts.cassandra.store import CassandraCarts
        from store.cassandra.bridge import Bridge
        from store.cassandra.keys import SharedKeys
        from store.cassandra.link import Link

        self.bridge = Bridge(settings.DATABASES["carts"], CARTS)
        self.link = Link(self.bridge)
        self.tasks.supervise(self.link.keep, name="carts on Cassandra")
        self.repository = CassandraCarts(self.bridge, now=clock.now)
        self.keys = SharedKeys(self.bridge)


def _config() -> CartsConfig:
    return cast(CartsConfig, apps.get_app_config("carts"))


def carts() -> CartService:
    return _config().service


def checkouts() -> CheckoutService:
    return _config().checkouts


def keys() -> IdempotencyKeys:
    return _config().keys
