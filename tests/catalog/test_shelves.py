"""Shelves filled at once, prices at their limits, searches in slices: as one by one, in one go."""

import asyncio
import gc
import weakref
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import product as combinations
from uuid import UUID

import pytest

from catalog import runs, turns
from catalog.columns import Facts
from catalog.domain import Filter, Mark, Sort, SortBy
from catalog.indexes import Shelves
from catalog.trees import LEAF

MANY = 40 * LEAF
SORTS = [Sort(by, descending) for by, descending in combinations(SortBy, (False, True))]
SEARCHES = [
    Filter(words=("x1",)),
    Filter(words=("x", "я")),
    Filter(words=("x", "x2"), category="a", max_price=Decimal(50)),
    Filter(words=("яя",), in_stock=True),
]
FILTERS = [
    Filter(),
    Filter(category="b"),
    Filter(min_price=Decimal(2), max_price=Decimal(5)),
    Filter(category="c", in_stock=True, max_price=Decimal(40)),
    SEARCHES[0],
]


def facts(number: int) -> Facts:
    """All different, in no order."""
    mixed = number * 2_654_435_761 % 2**32
    name = f"x{mixed % 997} {'я' * (mixed % 5)}".encode()
    return Facts(mixed << 60, name, "abc"[mixed % 3], mixed % 9973 + 1, mixed % 7 > 0)


def found(products: Iterable[Facts], where: Filter, sort: Sort) -> list[int]:
    """The ids of all that a search finds, sorted: the long way."""
    passing = [
        each
        for each in products
        if all(
            any(word.startswith(prefix) for word in each.name.decode().split())
            for prefix in where.words or ()
        )
        and where.category in (None, each.category)
        and (where.max_price is None or each.kopecks <= where.max_price * 100)
        and (each.in_stock or not where.in_stock)
    ]

    def key(each: Facts) -> tuple[bytes | int, int]:
        return (each.name if sort.by is SortBy.NAME else each.kopecks), each.number

    return [each.number for each in sorted(passing, key=key, reverse=sort.descending)]


async def filled(products: Iterable[Facts]) -> Shelves:
    shelves = Shelves()
    await shelves.gather(products)
    await shelves.arrange()
    return shelves


async def numbers(shelves: Shelves, where: Filter, sort: Sort) -> list[list[int]]:
    """The ids on pages here and there."""
    pages = [
        await shelves.page(where, sort, limit=50, skip=skip) for skip in range(0, MANY, MANY // 9)
    ]
    return [[page.total, *map(shelves.columns.number, page.rows)] for page in pages]


async def test_filled_at_once_is_the_same_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PIECE", 500)
    everything = [facts(number) for number in range(MANY)]
    one_by_one = Shelves()

    at_once = await filled(everything)
    for each in everything:
        one_by_one.put(each)

    for where, sort in combinations(FILTERS, SORTS):
        same = await numbers(one_by_one, where, sort)
        assert await numbers(at_once, where, sort) == same, (where, sort)
    assert at_once.counts() == one_by_one.counts()


async def test_filled_shelves_can_be_changed_and_emptied() -> None:
    shelves = await filled(map(facts, range(MANY)))

    for number in range(0, MANY, 2):
        shelves.put(facts(number)._replace(kopecks=1, category="d"))
    for number in range(1, MANY, 2):
        shelves.remove(facts(number).number)

    assert shelves.counts() == {"d": MANY // 2}
    cheapest = Filter(max_price=Decimal("0.01"))
    assert await numbers(shelves, cheapest, Sort()) == await numbers(shelves, Filter(), Sort())


async def test_prices_that_need_more_than_four_bytes_are_found_among_others() -> None:
    shelves = await filled(map(facts, range(MANY)))
    dear = facts(MANY)._replace(kopecks=9_999_999_999)

    shelves.put(dear)
    page = await shelves.page(Filter(min_price=Decimal(40_000_000)), Sort(), limit=2)

    assert [shelves.columns.number(row) for row in page.rows] == [dear.number]
    cheap = await shelves.page(Filter(max_price=Decimal(100)), Sort(), limit=2)
    assert cheap.total == MANY


@pytest.mark.parametrize("where", SEARCHES)
@pytest.mark.parametrize("sort", SORTS)
async def test_a_search_finds_what_looking_at_each_finds(where: Filter, sort: Sort) -> None:
    everything = [facts(number) for number in range(MANY)]
    shelves = await filled(everything)
    expected = found(everything, where, sort)

    for skip in (0, 7, len(expected) // 2, len(expected) - 3, len(expected), MANY):
        page = await shelves.page(where, sort, limit=20, skip=skip)

        assert ids(shelves, page.rows) == expected[skip : skip + 20]
        assert (page.total, page.has_more) == (len(expected), skip + 20 < len(expected))


@pytest.mark.parametrize("sort", SORTS)
async def test_a_search_goes_on_behind_a_cursor(sort: Sort) -> None:
    everything = [facts(number) for number in range(MANY)]
    shelves = await filled(everything)
    expected = found(everything, SEARCHES[1], sort)
    by_number = {each.number: each for each in everything}

    for place in (0, len(expected) // 3, len(expected) - 5, len(expected) - 1):
        last = by_number[expected[place]]
        key = last.name.decode() if sort.by is SortBy.NAME else Decimal(last.kopecks) / 100
        after = Mark(key, UUID(int=last.number))
        page = await shelves.page(SEARCHES[1], sort, limit=20, after=after)

        assert ids(shelves, page.rows) == expected[place + 1 : place + 21]
        assert page.has_more == (place + 21 < len(expected))


async def test_a_search_shows_one_moment_whatever_changes_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0)
    products = {each.number: each for each in map(facts, range(MANY))}
    shelves = await filled(products.values())
    where, sort = SEARCHES[1], Sort()
    moments = [found(products.values(), where, sort)]

    async def searched() -> list[int]:
        page = await shelves.page(where, sort, limit=MANY)
        assert page.total == len(page.rows)
        return ids(shelves, page.rows)

    search = asyncio.create_task(searched())
    for number in range(MANY, MANY + 500):
        new = facts(number)
        old = facts((number * 7919) % MANY)
        shelves.put(new)
        shelves.remove(old.number)
        products = {key: each for key, each in products.items() if key != old.number}
        products[new.number] = new
        await asyncio.sleep(0)
        if not search.done():
            moments.append(found(products.values(), where, sort))

    assert len(moments) > 10, "it ended before anything changed"
    assert await search in moments


async def test_rows_are_used_again_once_no_search_is_under_way() -> None:
    shelves = await filled(map(facts, range(MANY)))

    for number in range(200):
        search = asyncio.create_task(shelves.page(SEARCHES[1], Sort(), limit=20))
        await asyncio.sleep(0)
        shelves.put(facts(number % 7)._replace(kopecks=number + 1))
        if number % 50 == 0:
            await search
        else:
            search.cancel()
            await asyncio.wait([search])

    assert shelves.columns.size < MANY + 10


async def test_shelves_go_without_a_garbage_collection() -> None:
    shelves = await filled(map(facts, range(MANY)))
    shelves.remove(facts(1).number)
    await shelves.page(SEARCHES[1], Sort(), limit=20)
    parts = [weakref.ref(shelves), weakref.ref(shelves.columns), weakref.ref(shelves._words)]
    gc.disable()

    try:
        del shelves
        assert [part() for part in parts] == [None, None, None]
    finally:
        gc.enable()


def ids(shelves: Shelves, rows: Sequence[int]) -> list[int]:
    return [shelves.columns.number(row) for row in rows]
