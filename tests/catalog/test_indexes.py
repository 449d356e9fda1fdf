"""The memory store's lists against a model that sorts and filters everything each time."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import indexes, searches, trees
from catalog.domain import Filter, Mark, Product, Sort, SortBy, words_of
from catalog.repositories import MemoryCatalog
from tests.catalog.examples import memory_catalog, product

NAMES = ["Молоко", "молоко кофе", "Кофе", "кофе, молоко!", "Мёд", "a b", "B a", "Ёж-2", "ёж"]
CATEGORIES = ["Сыры", "Хлеб", "Рыба"]
PRICES = [Decimal(kopecks) / 100 for kopecks in range(1, 7)]
SEARCHES = ["м", "мол", "МОЛ коф", "кофе", "b", "a b", "2", "ёж", "нет", "!"]

ids = st.integers(0, 15).map(lambda number: UUID(int=number))
fields = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(NAMES),
        "category": st.sampled_from(CATEGORIES),
        "price": st.sampled_from(PRICES),
        "stock_count": st.integers(0, 1),
    },
)
additions = st.lists(st.tuples(st.just("add"), ids, fields), min_size=6, max_size=16)
changes = st.lists(st.tuples(st.sampled_from(["add", "update", "delete"]), ids, fields), max_size=8)
calls = st.builds(list.__add__, additions, changes)
filters = st.builds(
    Filter,
    category=st.none() | st.sampled_from(CATEGORIES),
    min_price=st.none() | st.sampled_from(PRICES),
    max_price=st.none() | st.sampled_from(PRICES),
    words=st.none() | st.sampled_from(SEARCHES).map(words_of),
    in_stock=st.booleans(),
)
by_words = st.builds(
    Filter,
    category=st.none(),
    min_price=st.none() | st.sampled_from(PRICES),
    words=st.sampled_from(SEARCHES).map(words_of),
)
sorts = st.builds(Sort, by=st.sampled_from(SortBy), descending=st.booleans())


@pytest.fixture(autouse=True, scope="module")
def _small_nodes() -> Iterator[None]:
    """Nodes of a few rows, so that a handful of products makes a high tree."""
    sizes = {"LEAF": 2, "FULL_LEAF": 3, "BRANCH": 2, "FULL_BRANCH": 3, "FEW": 1, "MERGED": 2}
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(trees, name, size)
        patch.setattr(indexes, "FEW", 1)
        for name, size in {"FEW": 1, "SAMPLE": 4, "SLACK": 1, "WALKED": 6}.items():
            patch.setattr(searches, name, size)
        yield


def listed(products: dict[UUID, Product], where: Filter, sort: Sort) -> list[Product]:
    """All that the filter finds, sorted: the long way."""
    found = [item for item in products.values() if fits(item, where)]
    return sorted(found, key=lambda item: place(item, sort), reverse=sort.descending)


def place(item: Product, sort: Sort) -> tuple[Any, int]:
    return (item.name if sort.by is SortBy.NAME else item.price), item.product_id.int


def fits(item: Product, where: Filter) -> bool:
    words = re.split(r"[\W_]+", item.name.casefold())
    return (
        where.category in (None, item.category)
        and (where.min_price is None or item.price >= where.min_price)
        and (where.max_price is None or item.price <= where.max_price)
        and (item.stock_count > 0 or not where.in_stock)
        and (where.words is None or bool(where.words))
        and all(any(w.startswith(part) for w in words) for part in where.words or ())
    )


async def filled(changes: list[tuple[str, UUID, Any]]) -> tuple[MemoryCatalog, dict[UUID, Product]]:
    """The store and the model after the same changes."""
    store, model = memory_catalog(), dict[UUID, Product]()
    for change, product_id, values in changes:
        if change == "add" and product_id not in model:
            model[product_id] = product(product_id=product_id, **values)
            assert await store.add(model[product_id])
        elif change == "update":
            updated = await store.update(product_id, values)
            if updated is not None:
                model[product_id] = updated
        elif change == "delete":
            assert await store.delete(product_id) == (model.pop(product_id, None) is not None)
    return store, model


@settings(max_examples=150, deadline=None)
@given(calls, filters | by_words, sorts, st.integers(0, 20), st.integers(1, 6))
async def test_any_page_is_what_a_plain_sort_gives(
    changes: list[tuple[str, UUID, Any]], where: Filter, sort: Sort, skip: int, limit: int
) -> None:
    store, model = await filled(changes)
    expected = listed(model, where, sort)

    page = await store.page(where, sort, limit=limit, skip=skip)

    assert list(page.items) == expected[skip : skip + limit]
    assert page.total == len(expected)
    assert page.has_more == (skip + limit < len(expected))


@settings(max_examples=150, deadline=None)
@given(calls, filters | by_words, sorts, st.sampled_from(NAMES), st.sampled_from(PRICES), ids)
async def test_any_cursor_goes_on_behind_its_key(
    changes: list[tuple[str, UUID, Any]],
    where: Filter,
    sort: Sort,
    name: str,
    price: Decimal,
    product_id: UUID,
) -> None:
    store, model = await filled(changes)
    last = product(product_id=product_id, name=name, price=price)
    after = place(last, sort)
    expected = [
        item
        for item in listed(model, where, sort)
        if (place(item, sort) < after if sort.descending else place(item, sort) > after)
    ]

    page = await store.page(where, sort, limit=4, after=sort.mark(last))

    assert list(page.items) == expected[:4]
    assert page.has_more == (len(expected) > 4)
    assert page.total == len(listed(model, where, sort))


@settings(max_examples=50, deadline=None)
@given(calls, filters | by_words, sorts)
async def test_any_walk_by_cursor_meets_everything_once(
    changes: list[tuple[str, UUID, Any]], where: Filter, sort: Sort
) -> None:
    store, model = await filled(changes)

    met = await walk(store, where, sort)

    assert met == listed(model, where, sort)


async def walk(store: MemoryCatalog, where: Filter, sort: Sort) -> list[Any]:
    met: list[Any] = []
    after: Mark | None = None
    while True:
        page = await store.page(where, sort, limit=3, after=after)
        met += page.items
        if not page.has_more:
            return met
        after = sort.mark(page.items[-1])


@settings(max_examples=50, deadline=None)
@given(calls)
async def test_counts_are_those_of_the_products(changes: list[tuple[str, UUID, Any]]) -> None:
    store, model = await filled(changes)

    counts = store.counts()

    categories = [item.category for item in model.values()]
    assert counts == {category: categories.count(category) for category in set(categories)}


@pytest.mark.parametrize("descending", [False, True])
async def test_names_within_a_price_range_stand_in_many_leaves(descending: bool) -> None:
    store = memory_catalog()
    products = [
        product(name=f"{number * 7919 % 1000:03}", price=Decimal(number % 10 + 1))
        for number in range(1000)
    ]
    for item in products:
        await store.add(item)
    for item in products[::3]:
        await store.delete(item.product_id)
    model = {item.product_id: item for item in products if item not in products[::3]}
    where, sort = Filter(min_price=Decimal(3), max_price=Decimal(5)), Sort(descending=descending)

    assert await walk(store, where, sort) == listed(model, where, sort)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("skip", range(12))
async def test_a_search_that_finds_nearly_all_is_cut_at_any_place(
    skip: int, descending: bool
) -> None:
    store, model = memory_catalog(), dict[UUID, Product]()
    for number in range(12):
        item = product(name=f"Сыр {number % 5}" if number % 6 else "Хлеб")
        await store.add(item)
        model[item.product_id] = item
    where, sort = Filter(words=("сыр",)), Sort(descending=descending)

    page = await store.page(where, sort, limit=3, skip=skip)

    assert list(page.items) == listed(model, where, sort)[skip : skip + 3]
