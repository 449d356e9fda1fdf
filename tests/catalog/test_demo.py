"""The demo assortment: complete, lawful, and the same at every start."""

from collections import Counter
from itertools import islice
from time import perf_counter

import pytest

from catalog.demo import CATEGORIES, DemoProduct, _lines, demo_products, more_products
from store.money import MAX_PRICE, has_kopecks_at_most

MORE = 20_000


@pytest.fixture(scope="module")
def more() -> list[DemoProduct]:
    return list(more_products(MORE))


def within_limits(product: DemoProduct) -> bool:
    return (
        1 <= len(product.name) <= 200
        and product.name == " ".join(product.name.split())
        and product.category in CATEGORIES
        and 0 < product.price <= MAX_PRICE
        and has_kopecks_at_most(product.price)
        and 0 <= product.stock_count <= 2**31 - 1
        and len(product.description or "") <= 1000
        and len(product.manufacturer or "") <= 100
    )


def test_every_category_has_a_full_shelf() -> None:
    products = demo_products()

    counts = Counter(product.category for product in products)

    assert len(products) >= 330
    assert set(counts) == set(CATEGORIES)
    assert len(counts) == 11
    assert min(counts.values()) >= 20


def test_no_name_stands_twice_on_a_shelf() -> None:
    products = demo_products()

    assert len({(product.category, product.name) for product in products}) == len(products)
    assert len({product.product_id for product in products}) == len(products)


def test_every_description_is_written_for_its_product() -> None:
    descriptions = [product.description for product in demo_products()]

    assert None not in descriptions
    assert len(set(descriptions)) == len(descriptions)


def test_demo_products_keep_the_limits_of_the_catalog() -> None:
    assert [product for product in demo_products() if not within_limits(product)] == []


def test_some_are_sold_out_and_some_are_scarce() -> None:
    stock = [product.stock_count for product in demo_products()]

    assert 5 <= stock.count(0) <= 30
    assert any(0 < count < 10 for count in stock)
    assert any(count > 300 for count in stock)


def test_demo_products_are_the_same_at_every_call() -> None:
    assert demo_products() == demo_products()


def test_an_id_stays_what_it_was_when_the_shop_first_opened() -> None:
    bananas = next(product for product in demo_products() if product.name == "Бананы спелые, 1 кг")

    assert str(bananas.product_id) == "f5c82b54-1856-5c39-bea1-0c32374aaed0"
    assert bananas.product_id.version == 5


def test_loading_the_assortment_takes_a_moment() -> None:
    demo_products()

    started = perf_counter()
    demo_products()

    assert perf_counter() - started < 0.3


def test_more_products_are_all_different(more: list[DemoProduct]) -> None:
    assert len(more) == MORE
    assert len({product.name for product in more}) == MORE
    assert len({product.product_id for product in more}) == MORE


def test_more_products_are_none_of_the_demo_ones(more: list[DemoProduct]) -> None:
    demo = demo_products()

    assert {product.product_id for product in demo}.isdisjoint(p.product_id for p in more)
    assert {product.name for product in demo}.isdisjoint(p.name for p in more)


def test_more_products_keep_the_limits_of_the_catalog(more: list[DemoProduct]) -> None:
    assert [product for product in more if not within_limits(product)] == []


def test_more_products_reach_every_category_soon() -> None:
    assert {product.category for product in more_products(40)} == set(CATEGORIES)


def test_fewer_are_the_beginning_of_more(more: list[DemoProduct]) -> None:
    assert list(more_products(500)) == more[:500]


def test_no_products_are_made_before_they_are_asked_for() -> None:
    endless = more_products(10**15)

    assert len(list(islice(endless, 3))) == 3


def test_names_differ_after_all_combinations_are_used_up() -> None:
    line = _lines()[0]
    size = len(line.brands) * len(line.variants)

    first, again = line.product(5), line.product(5 + size)

    assert again.name == f"{first.name}, партия 2"
    assert again.product_id != first.product_id
