"""The catalog's admin: products with their stock, and what is set aside for orders."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from catalog import domain
from catalog.apps import catalog, reservations
from catalog.domain import Filter, Sort, SortBy, State, words_of
from store.admin import ExactFilter, ReadOnlyAdmin, Site, moment
from store.rows import Found, Wanted, on_the_loop, walk

site = Site("catalog")


class Product(models.Model):
    product_id = models.UUIDField(primary_key=True)
    name = models.TextField()
    category = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock_count = models.IntegerField("in stock")
    description = models.TextField(null=True)
    manufacturer = models.TextField(null=True)

    class Meta:
        app_label = "catalog"
        managed = False

    def __str__(self) -> str:
        return str(self.name)


class Products:
    """Sorted by name or price, and counted, by the repository's indexes."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        where = Filter(
            category=wanted.exact.get("category"),
            words=words_of(wanted.search) if wanted.search else None,
            in_stock="in_stock" in wanted.exact,
        )
        by = SortBy.PRICE if wanted.order.endswith("price") else SortBy.NAME
        sort = Sort(by, descending=wanted.order.startswith("-"))
        page = await catalog().page(where, sort, limit=stop - start, skip=start)
        rows = await asyncio.gather(*map(_listed, page.items))
        return Found([row for row in rows if row], page.total)

    async def one(self, key: UUID) -> Product | None:
        try:
            return _row(await catalog().product(key))
        except domain.ProductNotFound:
            return None


async def _listed(item: domain.ProductSummary) -> Product | None:
    """A store may list products without their stock; by the time it is asked, one may be gone."""
    if isinstance(item, domain.Product):
        return _row(item)
    return await Products().one(item.product_id)


def _row(product: domain.Product) -> Product:
    names = [field.attname for field in Product._meta.fields]
    return Product(**{name: getattr(product, name) for name in names})


class ByCategory(ExactFilter):
    title = parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = on_the_loop(catalog().categories)
        return [(each.name, f"{each.name} ({each.product_count})") for each in counted]


class InStock(ExactFilter):
    title, parameter_name = "stock", "in_stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "In stock")]


@admin.register(Product, site=site)
class ProductAdmin(ReadOnlyAdmin):
    source = Products
    list_display = ("name", "category", "price", "stock_count", "product_id")
    list_filter = (InStock, ByCategory)
    search_fields = ("name",)
    search_help_text = "The beginnings of words of the name."
    sortable_by = ("name", "price")
    ordering = ("name",)


class Reservation(models.Model):
    order_id = models.UUIDField(primary_key=True)
    user_id = models.TextField("user", null=True)
    state = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "catalog"
        managed = False

    def __str__(self) -> str:
        return f"Reservation of order {self.order_id}"


class Reservations:
    """By state, the longest in it first."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        state = State(wanted.exact["state"])

        async def page(after: Any, limit: int) -> Sequence[domain.Reservation]:
            return await reservations().older_than(0, state=state, limit=limit, after=after)

        found = await walk(page, _mark, start=start, stop=stop)
        return replace(found, rows=[_reservation(each) for each in found.rows])

    async def one(self, key: UUID) -> None:
        """The list shows all there is of each."""


def _mark(reservation: domain.Reservation) -> tuple[datetime, UUID]:
    return reservation.updated_at, reservation.order_id


def _reservation(reservation: domain.Reservation) -> Reservation:
    names = [field.attname for field in Reservation._meta.fields]
    row = Reservation(**{name: getattr(reservation, name) for name in names})
    row.lines = reservation.lines  # type: ignore[attr-defined]
    return row


class ByState(ExactFilter):
    title = parameter_name = "state"

    def value(self) -> str:
        return super().value() or State.HELD

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in State]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without "all": they are kept apart."""
        yield from islice(super().choices(changelist), 1, None)


@admin.register(Reservation, site=site)
class ReservationAdmin(ReadOnlyAdmin):
    source = Reservations
    list_display = ("order_id", "user_id", "state", "items", "since")
    list_display_links = None
    list_filter = (ByState,)

    def items(self, row: Any) -> SafeString:
        named = ((line.quantity, line.name) for line in row.lines)
        return format_html_join("; ", "{} × {}", named)

    def since(self, row: Any) -> str:
        return moment(row.updated_at)
