"""Shelves filled at once, and prices at their limits: the same pages as one by one."""

from decimal import Decimal
from itertools import product as combinations

import pytest

from catalog import runs
from catalog.columns import Facts
from catalog.domain import Filter, Sort, SortBy
from catalog.indexes import Shelves
from catalog.trees import LEAF

MANY = 40 * LEAF
FILTERS = [
    Filter(),
    Filter(category="b"),
    Filter(min_price=Decimal(2), max_price=Decimal(5)),
    Filter(category="c", in_stock=True, max_price=Decimal(40)),
    Filter(words=("x1",)),
]


def facts(number: int) -> Facts:
    """All different, in no order."""
    mixed = number * 2_654_435_761 % 2**32
    name = f"x{mixed % 997} {'я' * (mixed % 5)}".encode()
    return Facts(mixed << 60, name, "abc"[mixed % 3], mixed % 9973 + 1, mixed % 7 > 0)


def numbers(shelves: Shelves, where: Filter, sort: Sort) -> list[list[int]]:
    """The ids on pages here and there."""
    pages = [shelves.page(where, sort, limit=50, skip=skip) for skip in range(0, MANY, MANY // 9)]
    return [[page.total, *map(shelves.columns.number, page.rows)] for page in pages]


def test_filled_at_once_is_the_same_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PIECE", 500)
    everything = [facts(number) for number in range(MANY)]
    at_once, one_by_one = Shelves(), Shelves()

    at_once.fill(everything)
    for each in everything:
        one_by_one.put(each)

    sorts = [Sort(by, descending) for by, descending in combinations(SortBy, (False, True))]
    for where, sort in combinations(FILTERS, sorts):
        assert numbers(at_once, where, sort) == numbers(one_by_one, where, sort), (where, sort)
    assert at_once.counts() == one_by_one.counts()


def test_filled_shelves_can_be_changed_and_emptied() -> None:
    shelves = Shelves()
    shelves.fill(map(facts, range(MANY)))

    for number in range(0, MANY, 2):
        shelves.put(facts(number)._replace(kopecks=1, category="d"))
    for number in range(1, MANY, 2):
        shelves.remove(facts(number).number)

    assert shelves.counts() == {"d": MANY // 2}
    cheapest = Filter(max_price=Decimal("0.01"))
    assert numbers(shelves, cheapest, Sort()) == numbers(shelves, Filter(), Sort())


def test_prices_that_need_more_than_four_bytes_are_found_among_others() -> None:
    shelves = Shelves()
    shelves.fill(map(facts, range(MANY)))
    dear = facts(MANY)._replace(kopecks=9_999_999_999)

    shelves.put(dear)
    found = shelves.page(Filter(min_price=Decimal(40_000_000)), Sort(), limit=2)

    assert [shelves.columns.number(row) for row in found.rows] == [dear.number]
    assert shelves.page(Filter(max_price=Decimal(100)), Sort(), limit=2).total == MANY
