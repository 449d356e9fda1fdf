"""Lists of products over HTTP: pages, filters, cursors, and who sees which."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.catalog.conftest import Headers

Add = Callable[..., Awaitable[dict[str, Any]]]

SUMMARY = ["product_id", "name", "category", "price"]


@pytest.fixture
async def cheeses(add: Add) -> list[dict[str, Any]]:
    """Seven cheeses by name, two of a kind in price, every third sold out; and some bread."""
    await add(name="Батон", category="Хлеб", price=50)
    return [
        await add(name=f"Сыр {number}", category="Сыры", price=number // 2, stock_count=number % 3)
        for number in range(2, 9)
    ]


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def test_a_user_sees_one_category_at_a_time(
    shop: httpx.AsyncClient, user: Headers, cheeses: list[dict[str, Any]]
) -> None:
    without = await shop.get("/api/products/", headers=user)
    within = await shop.get("/api/products/?category=Сыры", headers=user)

    assert (without.status_code, without.json()["code"]) == (403, "category_required")
    assert len(names(within)) == 7


@pytest.mark.usefixtures("cheeses")
async def test_an_admin_sees_everything(shop: httpx.AsyncClient, admin: Headers) -> None:
    answer = await shop.get("/api/products/", headers=admin)

    assert answer.json()["total"] == 8
    assert names(answer)[0] == "Батон"


async def test_a_list_shows_four_fields(
    shop: httpx.AsyncClient, user: Headers, cheeses: list[dict[str, Any]]
) -> None:
    answer = await shop.get("/api/products/?category=Сыры&limit=1", headers=user)

    assert answer.json()["items"] == [{name: cheeses[0][name] for name in SUMMARY}]


@pytest.mark.usefixtures("cheeses")
async def test_the_pages_by_skip(shop: httpx.AsyncClient, user: Headers) -> None:
    frames = []
    for skip in (0, 3, 6):
        answer = await shop.get(f"/api/products/?category=Сыры&limit=3&skip={skip}", headers=user)
        frame = answer.json()
        frames.append((len(names(answer)), frame["page"], frame["has_prev"], frame["has_next"]))
        assert (frame["total"], frame["pages"]) == (7, 3)
        assert (frame["next_cursor"] is None) == (not frame["has_next"])

    assert frames == [(3, 1, False, True), (3, 2, True, True), (1, 3, True, False)]


@pytest.mark.usefixtures("cheeses")
@pytest.mark.parametrize("sort_by", ["name", "price"])
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
async def test_the_pages_by_cursor(
    shop: httpx.AsyncClient, user: Headers, sort_by: str, sort_order: str
) -> None:
    query = {"category": "Сыры", "sort_by": sort_by, "sort_order": sort_order, "limit": "3"}
    met, pages, cursor = [], [], ""

    while cursor is not None:
        answer = await shop.get("/api/products/", params=query | {"cursor": cursor}, headers=user)
        met += names(answer)
        pages.append((answer.json()["page"], answer.json()["has_prev"]))
        cursor = answer.json()["next_cursor"]

    everything = await shop.get("/api/products/", params=query | {"limit": "100"}, headers=user)
    assert met == names(everything)
    assert len(met) == 7
    assert pages == [(1, False), (2, True), (3, True)]


@pytest.mark.usefixtures("cheeses")
async def test_skip_far_past_the_end(shop: httpx.AsyncClient, user: Headers) -> None:
    answer = await shop.get("/api/products/?category=Сыры&limit=3&skip=2147483647", headers=user)

    assert names(answer) == []
    assert answer.json()["total"] == 7
    assert answer.json()["has_next"] is False
    assert answer.json()["next_cursor"] is None


async def test_nothing_found_is_one_empty_page(shop: httpx.AsyncClient, user: Headers) -> None:
    answer = await shop.get("/api/products/?category=Сыры", headers=user)

    assert answer.json() == {
        "items": [],
        "total": 0,
        "page": 1,
        "pages": 1,
        "has_next": False,
        "has_prev": False,
        "next_cursor": None,
    }


@pytest.mark.usefixtures("cheeses")
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", "2345678"),
        ("sort_order=desc", "8765432"),
        ("min_price=2", "45678"),
        ("max_price=2.00", "2345"),
        ("min_price=2&max_price=3", "4567"),
        ("min_price=4&max_price=9999999999&sort_by=price", "8"),
        ("in_stock=true", "24578"),
        ("in_stock=false", "2345678"),
        ("q=сыр", "2345678"),
        ("q=СЫ", "2345678"),
        ("q=сыр+4", "4"),
        ("q=ыр", ""),
        ("q=!", ""),
        ("q=сыр&in_stock=true&max_price=2", "245"),
        ("q=&min_price=&max_price=&cursor=&in_stock=&skip=&limit=&sort_by=&sort_order=", "2345678"),
        ("unknown=1", "2345678"),
    ],
)
async def test_filters(shop: httpx.AsyncClient, user: Headers, query: str, numbers: str) -> None:
    answer = await shop.get(f"/api/products/?category=Сыры&{query}", headers=user)

    assert names(answer) == [f"Сыр {number}" for number in numbers]
    assert answer.json()["total"] == len(numbers)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1_0", "limit"),
        ("limit=٣", "limit"),
        ("skip=-1", "skip"),
        ("skip=99999999999999999999", "skip"),
        ("sort_by=stock", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("min_price=-1", "min_price"),
        ("max_price=-0.01", "max_price"),
        ("min_price=x", "min_price"),
        ("min_price=NaN", "min_price"),
        ("min_price=1e3", "min_price"),
        ("min_price=0.001", "min_price"),
        ("min_price=2&max_price=1", "min_price"),
        ("in_stock=maybe", "in_stock"),
        ("q=" + "я" * 201, "q"),
        ("category=" + "я" * 51, "category"),
    ],
)
async def test_a_bad_parameter_is_named(
    shop: httpx.AsyncClient, user: Headers, query: str, field: str
) -> None:
    category = "" if field == "category" else "category=Сыры&"

    answer = await shop.get(f"/api/products/?{category}{query}", headers=user)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["errors"]) == [field]


async def first_cursor(shop: httpx.AsyncClient, headers: Headers, query: str) -> str:
    answer = await shop.get(f"/api/products/?limit=2&{query}", headers=headers)
    return str(answer.json()["next_cursor"])


@pytest.mark.usefixtures("cheeses")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "category=Хлеб",
        "category=Сыры&sort_by=price",
        "category=Сыры&sort_order=desc",
        "category=Сыры&min_price=1",
        "category=Сыры&max_price=4",
        "category=Сыры&in_stock=true",
        "category=Сыры&q=сыр",
    ],
)
async def test_a_cursor_belongs_to_its_filter_and_sort(
    shop: httpx.AsyncClient, admin: Headers, query: str
) -> None:
    cursor = await first_cursor(shop, admin, "category=Сыры")

    answer = await shop.get(f"/api/products/?{query}&cursor={cursor}", headers=admin)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize("cursor", ["x", "%00", "я", "A" * 3000, "bm8gY3Vyc29y", "===="])
async def test_a_made_up_cursor_is_refused(
    shop: httpx.AsyncClient, user: Headers, cursor: str
) -> None:
    answer = await shop.get(f"/api/products/?category=Сыры&cursor={cursor}", headers=user)

    assert answer.status_code == 400


@pytest.mark.usefixtures("cheeses")
async def test_a_cursor_goes_without_skip(shop: httpx.AsyncClient, user: Headers) -> None:
    cursor = await first_cursor(shop, user, "category=Сыры")
    address = f"/api/products/?category=Сыры&cursor={cursor}"

    both = await shop.get(f"{address}&skip=1", headers=user)
    none = await shop.get(f"{address}&skip=0&limit=5", headers=user)

    assert both.status_code == 400
    assert names(none) == [f"Сыр {number}" for number in "45678"]


@pytest.mark.usefixtures("cheeses")
async def test_the_same_prices_in_other_words_are_the_same_list(
    shop: httpx.AsyncClient, user: Headers
) -> None:
    cursor = await first_cursor(shop, user, "category=Сыры&min_price=1")

    answer = await shop.get(
        f"/api/products/?category=Сыры&min_price=1.00&cursor={cursor}", headers=user
    )

    assert answer.status_code == 200


@pytest.mark.usefixtures("cheeses")
async def test_a_category_has_its_own_address(
    shop: httpx.AsyncClient, user: Headers, admin: Headers
) -> None:
    for headers in (user, admin):
        answer = await shop.get(
            "/api/products/by-category/Сыры?limit=2&sort_order=desc", headers=headers
        )
        assert names(answer) == ["Сыр 8", "Сыр 7"]
        assert answer.json()["total"] == 7


@pytest.mark.usefixtures("cheeses")
async def test_a_categorys_cursor_works_at_both_addresses(
    shop: httpx.AsyncClient, user: Headers
) -> None:
    cursor = await first_cursor(shop, user, "category=Сыры")

    answer = await shop.get(f"/api/products/by-category/Сыры?cursor={cursor}", headers=user)

    assert len(names(answer)) == 5


@pytest.mark.parametrize("category", ["Аудио/Видео", "50 %", "a?b#c", "нет такой"])
async def test_any_name_of_a_category_can_be_an_address(
    shop: httpx.AsyncClient, user: Headers, add: Add, category: str
) -> None:
    await add(name="Первый", category=category)

    answer = await shop.get(f"/api/products/by-category/{quote(category, safe='')}", headers=user)

    assert names(answer) == ["Первый"]


async def test_lists_are_for_people_and_admins(shop: httpx.AsyncClient, orders: Headers) -> None:
    for path in ("/api/products/?category=Сыры", "/api/products/by-category/Сыры"):
        assert (await shop.get(path)).status_code == 401
        assert (await shop.get(path, headers=orders)).status_code == 403


async def test_a_service_lists_for_its_user(
    shop: httpx.AsyncClient, as_service: Callable[..., Headers]
) -> None:
    headers = as_service("carts", "catalog", user="alice")

    assert (await shop.get("/api/products/?category=Сыры", headers=headers)).status_code == 200
    assert (await shop.get("/api/products/", headers=headers)).status_code == 403


@pytest.mark.usefixtures("cheeses")
async def test_anyone_may_ask_for_the_categories(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/api/products/categories/list")

    assert answer.json() == [
        {"name": "Сыры", "product_count": 7},
        {"name": "Хлеб", "product_count": 1},
    ]


async def test_a_bad_token_is_refused_even_where_none_is_needed(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/api/products/categories/list", headers={"Authorization": "Bearer x"})

    assert answer.status_code == 401


async def test_a_list_follows_every_change_at_once(
    shop: httpx.AsyncClient, admin: Headers, user: Headers, add: Add
) -> None:
    address = f"/api/products/{(await add(category='Сыры'))['product_id']}"
    listing = "/api/products/?category=Сыры"
    assert names(await shop.get(listing, headers=user)) == ["Молоко"]

    await shop.put(address, json={"name": "Кефир"}, headers=admin)
    assert names(await shop.get(listing, headers=user)) == ["Кефир"]

    await shop.put(address, json={"category": "Напитки"}, headers=admin)
    assert names(await shop.get(listing, headers=user)) == []


@pytest.mark.usefixtures("cheeses")
async def test_a_list_opens_in_a_browser(shop: httpx.AsyncClient, user: Headers) -> None:
    page = await shop.get("/api/products/?category=Сыры", headers=user | {"Accept": "text/html"})

    assert page.status_code == 200
    assert "Сыр 2" in page.text
