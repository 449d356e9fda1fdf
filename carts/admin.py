"""The admin of carts: who has what in the cart, and which checkouts are still open."""

from collections.abc import Sequence

from django.contrib import admin
from django.db import models
from django.utils.safestring import SafeString

from carts import domain
from carts.apps import carts
from store.admin import ReadOnlyAdmin, Site, moment, money, table
from store.rows import Found, Wanted, walk

site = Site("carts")


class Cart(models.Model):
    user = models.TextField(primary_key=True)
    total = models.DecimalField(max_digits=20, decimal_places=2)

    cart: domain.Cart

    class Meta:
        app_label = "carts"
        managed = False

    def __str__(self) -> str:
        return f"Cart of {self.user}"


class Carts:
    """By user; a search is for one user."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        if wanted.search:
            his, _ = await carts().carts(user=wanted.search, limit=1)
            return Found(_rows(his), len(his))
        found = await walk(_page, _user, start=start, stop=stop)
        return Found(_rows(found.rows), await carts().count())

    async def one(self, key: str) -> Cart | None:
        cart = await carts().cart(key)
        return None if cart.is_forgettable else _row(cart)


async def _page(after: str | None, limit: int) -> Sequence[domain.Cart]:
    found, _ = await carts().carts(after=after, limit=limit)
    return found


def _user(cart: domain.Cart) -> str:
    return cart.user


def _rows(found: Sequence[domain.Cart]) -> list[Cart]:
    return [_row(cart) for cart in found]


def _row(cart: domain.Cart) -> Cart:
    row = Cart(user=cart.user, total=cart.total)
    row.cart = cart
    return row


@admin.register(Cart, site=site)
class CartAdmin(ReadOnlyAdmin):
    source = Carts
    list_display = ("user", "products", "pieces", "total", "checkout")
    fields = ("user", "total", "checkout", "lines")
    search_fields = ("user",)
    search_help_text = "The whole username."

    def products(self, row: Cart) -> int:
        return len(row.cart.lines)

    def pieces(self, row: Cart) -> int:
        return sum(line.quantity for line in row.cart.lines.values())

    def checkout(self, row: Cart) -> str:
        intent = row.cart.intent
        return (
            f"open: order {intent.order_id}, until {moment(intent.valid_until)}" if intent else "-"
        )

    def lines(self, row: Cart) -> SafeString:
        return table(
            ("Product", "Price", "Quantity", "Total", "Product id", "Line id"),
            (
                (
                    line.name,
                    money(line.price),
                    line.quantity,
                    money(line.total),
                    line.product_id,
                    line.id,
                )
                for line in row.cart.lines.values()
            ),
        )
