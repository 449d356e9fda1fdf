"""The demo shop's shelves: a hand-written assortment, and as many more products as are wanted."""

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

DATA = Path(__file__).parent / "data"
NAMESPACE = UUID("5d0c7a52-6a4f-4c0b-9a68-3f1f7b1f2e90")
CATEGORIES = {
    "Фрукты": "fruits",
    "Овощи": "vegetables",
    "Молочные продукты": "dairy",
    "Напитки": "drinks",
    "Бакалея": "groceries",
    "Мясо": "meat",
    "Сладкое": "sweets",
    "Пельмени": "dumplings",
    "Средства для уборки": "cleaning",
    "Сигареты": "cigarettes",
    "Алкоголь": "alcohol",
}
# A prime above every line's size: stepping by it visits all combinations of a line, each once,
# with neighbours that look nothing alike.
STRIDE = 2_654_435_761
KOPECK_ENDINGS = (90, 90, 0, 50, 99, 90, 49, 0)


@dataclass(frozen=True, slots=True)
class DemoProduct:
    product_id: UUID
    name: str
    category: str
    price: Decimal
    stock_count: int
    description: str | None
    manufacturer: str | None


def demo_products() -> list[DemoProduct]:
    """The hand-written assortment, the same at every start, by category and shelf order."""
    return [item for category, stem in CATEGORIES.items() for item in _shelf(category, stem)]


def more_products(count: int) -> Iterator[DemoProduct]:
    """``count`` further products, the n-th always the same, none of them in the assortment."""
    lines = _lines()
    for number in range(count):
        step, line = divmod(number, len(lines))
        yield lines[line].product(step)


def _shelf(category: str, stem: str) -> Iterator[DemoProduct]:
    with (DATA / f"{stem}.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield DemoProduct(
                product_id=_product_id(row["name"], row["manufacturer"]),
                name=row["name"],
                category=category,
                price=Decimal(row["price"]),
                stock_count=int(row["stock_count"]),
                description=row["description"] or None,
                manufacturer=row["manufacturer"] or None,
            )


def _product_id(name: str, manufacturer: str) -> UUID:
    return uuid5(NAMESPACE, f"{name}\n{manufacturer}")


@dataclass(frozen=True, slots=True)
class _Line:
    """A family of products: every variant (kind, trait and pack) of every brand."""

    category: str
    brands: list[str]
    variants: list[tuple[str, str, int]]
    makers: list[str]
    about: list[str]

    def product(self, step: int) -> DemoProduct:
        size = len(self.brands) * len(self.variants)
        lap, place = divmod(step + 1, size)
        brand_number, variant = divmod(place * STRIDE % size, len(self.variants))
        brand = self.brands[brand_number]
        kind, rest, kopecks = self.variants[variant]
        name = f"{kind} «{brand}» {rest}" + (f", партия {lap + 1}" if lap else "")
        maker = f"{self.makers[brand_number % len(self.makers)]} «{brand}»"
        product_id = _product_id(name, maker)
        chance = product_id.int & 0xFFFF
        return DemoProduct(
            product_id=product_id,
            name=name,
            category=self.category,
            price=_price(kopecks, chance >> 5),
            stock_count=chance % 500 if chance % 32 else 0,
            description=self.about[chance % len(self.about)],
            manufacturer=maker,
        )


def _price(kopecks: int, chance: int) -> Decimal:
    """Makers differ by up to 15 % either way, and shops like odd kopecks."""
    roubles = max(9, kopecks * (85 + chance % 31) // 10_000)
    return Decimal(roubles * 100 + KOPECK_ENDINGS[chance & 7]).scaleb(-2)


@lru_cache(maxsize=1)
def _lines() -> list[_Line]:
    text = (DATA / "variety.toml").read_text(encoding="utf-8")
    variety = tomllib.loads(text, parse_float=Decimal)
    brands = list(_brands(variety["brands"]))
    return [_line(entry, brands) for entry in variety["line"]]


def _line(entry: dict[str, Any], brands: list[str]) -> _Line:
    parts = product(entry["kinds"].items(), entry["traits"].items(), entry["packs"].items())
    return _Line(
        category=entry["category"],
        brands=brands,
        variants=[
            (kind, f"{trait}, {pack}", int(roubles * dearer * amount * 100))
            for (kind, roubles), (trait, dearer), (pack, amount) in parts
        ],
        makers=entry["makers"],
        about=entry["about"],
    )


def _brands(words: dict[str, list[str]]) -> Iterator[str]:
    for forms in words["adjectives"]:
        for gender, form in zip(("masculine", "feminine", "neuter"), forms.split(), strict=True):
            for noun in words[gender]:
                yield f"{form} {noun}"
