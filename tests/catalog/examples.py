"""Products and moments for the catalog's tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from catalog.domain import Product
from catalog.journal import JournaledCatalog
from catalog.registers import Register
from catalog.repositories import MemoryCatalog
from store.journal import Journal

NOON = datetime(2026, 7, 25, 12, tzinfo=UTC)
ORDER = UUID("00000000-0000-4000-8000-00000000000a")
# As an admin sends it.
MILK = {"name": "Молоко", "category": "Молочные продукты", "price": 89.9, "stock_count": 10}


def seconds(count: float) -> datetime:
    """So many seconds past noon."""
    return NOON + timedelta(seconds=count)


def product(**fields: Any) -> Product:
    """A product with a new id; what is not given does not matter."""
    defaults = {
        "product_id": uuid4(),
        "name": "Молоко",
        "category": "Молочные продукты",
        "price": Decimal("89.90"),
        "stock_count": 10,
    }
    return Product(**(defaults | fields))


def memory_catalog(
    *, keep_sold: timedelta = timedelta(days=1), keep_closed: int = 1000
) -> MemoryCatalog:
    return MemoryCatalog(Register(keep_sold=keep_sold, keep_closed=keep_closed))


def journaled_catalog(journal: Journal) -> JournaledCatalog:
    return JournaledCatalog(Register(keep_sold=timedelta(days=1), keep_closed=1000), journal)
