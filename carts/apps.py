"""The composition root of carts: builds repository, clients and services from the settings."""

import logging
from typing import cast

from django.apps import apps

from carts import metrics
from carts.checkout import CheckoutService
from carts.clients import CatalogClient, OrdersClient
from carts.journal import JournaledCarts
from carts.repositories import CartRepository, MemoryCartRepository
from carts.services import CartService
from store import clock, http, service
from store.idempotency import IdempotencyKeys
from store.tasks import Tasks

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

    async def open(self) -> None:
        self.repository = JournaledCarts(self.journal) if self.journal else MemoryCartRepository()
        self.tasks = Tasks()
        self.keys = IdempotencyKeys(journal=self.journal)
        catalog = CatalogClient(http.peer("catalog", caller="carts"))
        orders = OrdersClient(http.peer("orders", caller="carts"))
        self.service = CartService(self.repository, catalog, now=clock.now)
        self.checkouts = CheckoutService(self.repository, orders, self.tasks, now=clock.now)
        metrics.CHECKOUTS_RUNNING.set_function(self.checkouts.running)
        await self.checkouts.resume()

    async def close(self) -> None:
        await self.tasks.close(seconds=CLOSING_SECONDS)
        if unanswered := await self.repository.open_intents():
            log.warning("%d checkouts end without an answer from orders", len(unanswered))


def _config() -> CartsConfig:
    return cast(CartsConfig, apps.get_app_config("carts"))


def carts() -> CartService:
    return _config().service


def checkouts() -> CheckoutService:
    return _config().checkouts


def keys() -> IdempotencyKeys:
    return _config().keys
