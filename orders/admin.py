"""The admin of orders: who ordered what, and where it stands."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders import domain
from orders.apps import orders
from orders.domain import Status
from orders.domain.errors import OrderNotFound
from orders.labels import LABELS
from store.admin import ExactFilter, ReadOnlyAdmin, Site, moment, money, table
from store.auth import Caller
from store.rows import Found, Wanted, walk

ADMIN = Caller(is_admin=True)

site = Site("orders")


class Order(models.Model):
    id = models.UUIDField(primary_key=True)
    user_id = models.TextField("user")
    total = models.DecimalField(max_digits=20, decimal_places=2)
    status = models.TextField()
    version = models.IntegerField()

    order: domain.Order

    class Meta:
        app_label = "orders"
        managed = False

    def __str__(self) -> str:
        return f"Order {self.id}"


class Orders:
    """Newest first; a search is for an order's id or for a user."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        user_id = wanted.search or None
        status = Status(wanted.exact["status"]) if "status" in wanted.exact else None
        if (order_id := _order_id(wanted.search)) is not None:
            row = await self.one(order_id)
            return Found([row] if row else [], 1 if row else 0)

        async def page(before: Any, limit: int) -> Sequence[domain.Order]:
            found, _ = await orders().page(
                ADMIN, limit=limit, user_id=user_id, status=status, before=before
            )
            return found

        found = await walk(page, _position, start=start, stop=stop)
        return replace(found, rows=[_row(order) for order in found.rows])

    async def one(self, key: UUID) -> Order | None:
        try:
            return _row(await orders().order(key))
        except OrderNotFound:
            return None


def _order_id(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None


def _position(order: domain.Order) -> Any:
    return order.created_at, order.id


def _row(order: domain.Order) -> Order:
    names = [field.attname for field in Order._meta.fields]
    row = Order(**{name: getattr(order, name) for name in names})
    row.order = order
    return row


class ByStatus(ExactFilter):
    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.value.capitalize()) for status in Status]


@admin.register(Order, site=site)
class OrderAdmin(ReadOnlyAdmin):
    source = Orders
    list_display = ("id", "buyer", "total", "status", "pieces", "placed", "changed")
    fields = (
        "id",
        "user_id",
        "total",
        "state",
        "placed",
        "changed",
        "next_step",
        "version",
        "lines",
    )
    list_filter = (ByStatus,)
    search_fields = ("id", "user_id")
    search_help_text = "The whole id of an order, or a whole username."

    @admin.display(description="user")
    def buyer(self, row: Order) -> SafeString:
        return format_html('<a href="?q={}">{}</a>', row.user_id, row.user_id)

    def pieces(self, row: Order) -> int:
        return sum(line.quantity for line in row.order.lines)

    @admin.display(description="status")
    def state(self, row: Order) -> str:
        return f"{row.status} ({LABELS['ru'][row.status]})"

    def placed(self, row: Order) -> str:
        return moment(row.order.created_at)

    def changed(self, row: Order) -> str:
        return moment(row.order.updated_at)

    def next_step(self, row: Order) -> str:
        step = row.order.stage.next or "deleted"
        return f"{step}, {moment(row.order.next_at)}"

    def lines(self, row: Order) -> SafeString:
        return table(
            ("Product", "Price", "Quantity", "Total", "Product id"),
            (
                (
                    line.name,
                    money(line.price),
                    line.quantity,
                    money(line.price * line.quantity),
                    line.product_id,
                )
                for line in row.order.lines
            ),
        )
