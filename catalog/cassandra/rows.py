"""Rows of ``products`` as products; what other programs wrote is shown or refused by one rule.

A row is a product when it has a name, a category and a price above zero with at most two
decimals. A quantity that is missing or below zero is none in stock.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from catalog.domain import MAX_STOCK, Product
from store.money import KOPECK, MAX_PRICE, has_kopecks_at_most


def product_of(row: Sequence[Any], *, available: int | None = None) -> Product | None:
    """``row`` as in the statements; ``available`` is what the books say, where there are any."""
    product_id, name, category, price, quantity, description, manufacturer = row
    if why_refused(name, category, price) is not None:
        return None
    return Product(
        product_id=product_id,
        name=name,
        category=category,
        price=price.quantize(KOPECK),
        stock_count=stock_of(quantity) if available is None else available,
        description=description,
        manufacturer=manufacturer,
    )


def values_of(product: Product) -> tuple[object, ...]:
    """In the order of the statements."""
    facts = (product.product_id, product.name, product.category, product.price)
    return (*facts, product.stock_count, product.description, product.manufacturer)


def stock_of(quantity: int | None) -> int:
    return min(max(0, quantity or 0), MAX_STOCK)


def why_refused(name: str | None, category: str | None, price: Decimal | None) -> str | None:
    """Why a row is no product, or None."""
    if not name or not category:
        return "no name" if not name else "no category"
    if price is None:
        return "no price"
    if not has_kopecks_at_most(price) or not 0 < price <= MAX_PRICE:
        return f"a price of {price}"
    return None
