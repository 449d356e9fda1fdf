"""The catalog's composition root."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import cast

from django.apps import apps
from django.conf import settings

from catalog.demo import demo_products
from catalog.domain import Product
from catalog.journal import JournaledCatalog
from catalog.metrics import PRODUCT_COUNTS, STORE_UP
from catalog.registers import Register
from catalog.repositories import CatalogRepository, MemoryCatalog
from catalog.services import CatalogService, ReservationService
from store import clock, service
from store.errors import Unavailable
from store.journal import Journal
from store.tasks import Tasks

LOOK_AGAIN_SECONDS = 0.1


class CatalogConfig(service.ServiceConfig):
    name = "catalog"
    about = "Products and categories, and the stock of orders."

    @property
    def is_in_memory(self) -> bool:
        return "catalog" not in settings.DATABASES

    async def open(self) -> None:
        self._tasks = Tasks()
        self._is_stocked = True
        self.repository = _repository(self.journal)
        self.catalog = CatalogService(self.repository)
        self.reservations = ReservationService(self.repository, now=clock.now)
        PRODUCT_COUNTS.ask = self.repository.counts
        kind = "memory" if self.is_in_memory else "cassandra"
        STORE_UP.labels(store=kind).set_function(lambda: self.repository.unready() is None)
        if settings.DEMO and not self.is_in_memory:
            self._is_stocked = False
            self._tasks.start(self._stock_when_it_comes(), name="demo products")
        elif settings.DEMO and not self.repository.counts():
            await self.catalog.add_missing(_demo())

    async def close(self) -> None:
        PRODUCT_COUNTS.ask = dict
        await self._tasks.close(seconds=0)
        await self.repository.close()

    def unready(self) -> str | None:
        reason = self.repository.unready()
        return reason if reason or self._is_stocked else "The demo products are being put in."

    async def _stock_when_it_comes(self) -> None:
        """A catalogue that outlives its process gets the demo products once, when it is empty.

        What it does not take in one go is put in by the next, whoever adds others meanwhile.
        """
        was_empty = None
        while not self._is_stocked:
            try:
                if not self.repository.unready():
                    if was_empty is None:
                        was_empty = not await self.catalog.categories()
                    if was_empty:
                        await self.catalog.add_missing(_demo())
                    self._is_stocked = True
            except Unavailable:
                """It is tried again."""
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def catalog() -> CatalogService:
    return cast(CatalogConfig, apps.get_app_config("catalog")).catalog


def reservations() -> ReservationService:
    return cast(CatalogConfig, apps.get_app_config("catalog")).reservations


def _repository(journal: Journal | None) -> CatalogRepository:
    if "catalog" in settings.DATABASES:
        # Here, so that nobody else pays for the driver.
        from catalog.cassandra.schema import CATALOG
        from catalog.cassandra.store import CassandraCatalog
        from store.cassandra.bridge import Bridge

        bridge = Bridge(settings.DATABASES["catalog"], CATALOG)
        store = CassandraCatalog(bridge, keep_seconds=settings.RESERVATION_RETENTION)
        store.open()
        return store
    register = Register(
        keep_sold=timedelta(seconds=settings.RESERVATION_RETENTION),
        keep_closed=settings.CLOSED_RESERVATIONS,
    )
    return JournaledCatalog(register, journal) if journal else MemoryCatalog(register)


def _demo() -> Iterator[Product]:
    return (Product(**asdict(item)) for item in demo_products())
