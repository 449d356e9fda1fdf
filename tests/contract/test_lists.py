"""Lists: their pages by number and by cursor, filters, search, sort, and links."""

from typing import Any
from urllib.parse import urljoin

import pytest
import pytest_asyncio

from tests.contract import callers
from tests.contract.rules import decoded
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE = callers.user("owner")
BOSS = callers.admin()
# Name, price, stock; two cost the same.
TEAS = [
    ("чай зелёный", 30, 5),
    ("Чай чёрный", 20, 0),
    ("Чайник", 20, 5),
    ("green tea", 10.5, 5),
    ("Tea", 99.99, 0),
    ("Ёлочный чай", 40, 5),
    ("1001 ночь", 50, 5),
]
BY_NAME = sorted(name for name, _, _ in TEAS)  # by code points
URL = "/api/products/by-category/Чаи/зимние"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def teas(world: World) -> None:
    """In a category with a slash in its name; other products are in others."""
    for name, price, stock in TEAS:
        await world.product(name=name, category="Чаи/зимние", price=price, stock=stock)
    await world.product(name="Чай чужой", category="Чаи")


async def page(world: World, query: str = "") -> Any:
    answer = await world.client.get(f"{URL}?{query}", headers=ALICE)
    assert answer.status_code == 200, answer.text
    return decoded(answer)


def names(found: Any) -> list[str]:
    return [item["name"] for item in found["items"]]


async def test_without_a_wish_products_come_by_name_in_code_point_order(world: World) -> None:
    found = await page(world)

    assert names(found) == BY_NAME
    assert found | {"items": []} == {
        "items": [],
        "total": 7,
        "page": 1,
        "pages": 1,
        "has_next": False,
        "has_prev": False,
        "next_cursor": None,
    }


async def test_a_user_finds_the_same_in_the_list_of_all(world: World) -> None:
    url = "/api/products/?category=Чаи/зимние"

    assert names(await world.get(url, ALICE)) == names(await page(world))


async def test_an_admin_sees_all_categories_and_their_true_counts(world: World) -> None:
    everything = await world.get("/api/products/")
    categories = await world.get("/api/products/categories/list")

    counts = {each["name"]: each["product_count"] for each in categories}
    assert (counts["Чаи/зимние"], counts["Чаи"]) == (7, 1)
    assert everything["total"] == sum(counts.values())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("sort", ["", "&sort_by=price", "&sort_by=name&sort_order=desc"])
async def test_pages_by_skip_and_by_cursor_are_the_same(
    world: World, limit: int, sort: str
) -> None:
    query = f"limit={limit}{sort}"
    pages = -(-7 // limit)

    by_skip = [await page(world, f"{query}&skip={limit * place}") for place in range(pages)]
    by_cursor = [await page(world, query)]
    while cursor := by_cursor[-1]["next_cursor"]:
        by_cursor.append(await page(world, f"{query}&cursor={cursor}"))

    assert by_cursor == by_skip
    assert [each["page"] for each in by_skip] == list(range(1, pages + 1))
    assert {(each["total"], each["pages"]) for each in by_skip} == {(7, pages)}
    assert [each["has_next"] for each in by_skip] == [True] * (pages - 1) + [False]
    assert [each["has_prev"] for each in by_skip] == [False] + [True] * (pages - 1)
    assert sorted(name for each in by_skip for name in names(each)) == BY_NAME


async def test_past_the_end_there_is_an_empty_page(world: World) -> None:
    found = await page(world, "skip=2000000000&limit=2")

    assert (found["items"], found["total"], found["pages"]) == ([], 7, 4)
    assert (found["page"], found["has_next"], found["has_prev"]) == (1_000_000_001, False, True)
    assert found["next_cursor"] is None


async def test_nothing_found_is_one_page(world: World) -> None:
    found = await page(world, "q=кофе")

    assert (found["items"], found["total"], found["pages"]) == ([], 0, 1)
    assert (found["has_next"], found["next_cursor"]) == (False, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=чай", ["Ёлочный чай", "Чай чёрный", "Чайник", "чай зелёный"]),
        ("q=ЧАЙ", ["Ёлочный чай", "Чай чёрный", "Чайник", "чай зелёный"]),
        ("q=ЧАЙ%20ЗЕЛ", ["чай зелёный"]),
        ("q=зел%20%20чай", ["чай зелёный"]),
        ("q=ёл", ["Ёлочный чай"]),
        ("q=айник", []),
        ("q=TEA", ["Tea", "green tea"]),
        ("q=100", ["1001 ночь"]),
        ("q=чай&in_stock=true", ["Ёлочный чай", "Чайник", "чай зелёный"]),
        ("q=чай&in_stock=false", ["Ёлочный чай", "Чай чёрный", "Чайник", "чай зелёный"]),
        ("in_stock=true&max_price=20", ["green tea", "Чайник"]),
        ("min_price=20&max_price=20", ["Чай чёрный", "Чайник"]),
        ("min_price=20.01&max_price=50", ["1001 ночь", "Ёлочный чай", "чай зелёный"]),
        ("min_price=99.99", ["Tea"]),
    ],
)
async def test_a_filter_finds_words_prices_and_what_is_in_stock(
    world: World, query: str, found: list[str]
) -> None:
    answer = await page(world, query)

    assert (names(answer), answer["total"]) == (found, len(found))


async def test_equal_prices_keep_their_order_in_both_directions(world: World) -> None:
    up = names(await page(world, "sort_by=price&sort_order=asc"))
    down = names(await page(world, "sort_by=price&sort_order=desc"))

    prices = {name: price for name, price, _ in TEAS}
    assert [prices[name] for name in up] == sorted(prices.values())
    assert [prices[name] for name in down] == sorted(prices.values(), reverse=True)
    assert up == names(await page(world, "sort_by=price"))


@pytest.mark.parametrize(
    "query", ["q=чай", "in_stock=true", "min_price=1", "sort_by=price", "sort_order=desc"]
)
async def test_a_cursor_is_good_for_its_list_alone(world: World, query: str) -> None:
    cursor = (await page(world, "limit=2"))["next_cursor"]

    answer = await world.client.get(f"{URL}?limit=2&{query}&cursor={cursor}", headers=ALICE)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


async def test_a_cursor_tells_no_other_service_anything(world: World) -> None:
    cursor = (await page(world, "limit=2"))["next_cursor"]

    for address in ("/cart-api/carts/", "/order-api/orders/"):
        answer = await world.client.get(f"{address}?cursor={cursor}", headers=BOSS)

        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize("address", ["/order-api/orders/", "/user-api/users/me/orders"])
async def test_orders_link_to_their_next_page_newest_first(world: World, address: str) -> None:
    product = await world.product()
    placed = [(await world.order(product, of="owner"))["id"] for _ in range(5)]

    listed, link = [], f'<{address}?limit=2>; rel="next"'
    while link:
        url, _, relation = link.removeprefix("<").partition(">")
        answer = await world.client.get(urljoin(address, url), headers=ALICE)
        listed += [each["id"] for each in answer.json()]
        assert relation == '; rel="next"'
        link = answer.headers.get("Link")

    assert listed[:5] == placed[::-1]
    assert len(listed) == len(set(listed)) == len(await world.get(address, ALICE))


async def test_admins_filter_orders_and_users_see_their_own(world: World) -> None:
    product = await world.product()
    order = (await world.order(product, of="stranger"))["id"]
    await world.ok(
        "PUT", f"/order-api/orders/{order}/status", json={"status": "PROCESSING"}, headers=BOSS
    )

    async def found(query: str, headers: callers.Headers = BOSS) -> set[str]:
        orders = await world.get(f"/order-api/orders/?limit=1000&{query}", headers)
        return {each["user_id"] for each in orders}

    assert await found("") == {"owner", "stranger"}
    assert await found("user_id=stranger") == {"stranger"}
    assert await found("status=PROCESSING") == {"stranger"}
    assert await found("status=PROCESSING&user_id=owner") == set()
    assert await found("", ALICE) == {"owner"}
    assert await found("user_id=owner", ALICE) == {"owner"}


async def test_admins_page_through_the_carts_by_user(world: World) -> None:
    product = await world.product()
    for name in ("owner", "stranger", "boss"):
        await world.add(product, to=name)

    first = await world.get("/cart-api/carts/?limit=2")
    rest = await world.get(f"/cart-api/carts/?limit=2&cursor={first['next_cursor']}")
    one = await world.get("/cart-api/carts/?user_id=owner")

    assert [each["user_id"] for each in first["items"]] == ["boss", "owner"]
    assert [each["user_id"] for each in rest["items"]] == ["stranger"]
    assert rest["next_cursor"] is None
    assert [each["user_id"] for each in one["items"]] == ["owner"]


async def test_the_last_ten_products_looked_at_each_once_newest_first(world: World) -> None:
    products = [await world.product() for _ in range(11)]
    for product in [products[5], *products, products[5]]:
        await world.ok("POST", f"/cart-api/products/{product}/view", headers=ALICE)

    views = await world.get("/cart-api/products/recent-views", ALICE)

    expected = [products[5], *(each for each in products[::-1] if each != products[5])]
    assert [view["product_id"] for view in views] == expected[:10]
    moments = [view["viewed_at"] for view in views]
    assert moments == sorted(moments, reverse=True)


async def test_a_cart_holds_a_hundred_products(world: World) -> None:
    await world.register("collector")
    for _ in range(100):
        await world.add(await world.product(), to="collector")

    body = {"product_id": await world.product(), "quantity": 1}
    answer = await world.client.post(
        "/cart-api/cart/items", json=body, headers=callers.user("collector")
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_lines")


async def test_holds_are_listed_by_state_and_page(world: World) -> None:
    product = await world.product()
    held = [await world.reservation(product, of="owner") for _ in range(3)]
    headers = callers.service("orders", "catalog")

    first = await world.get("/api/reservations/?state=held&older_than=0&limit=2", headers)
    rest = await world.get(f"/api/reservations/?limit=2&cursor={first['next_cursor']}", headers)

    assert [each["order_id"] for each in first["items"] + rest["items"]] == held
    assert rest["next_cursor"] is None
    assert (await world.get("/api/reservations/?older_than=60", headers))["items"] == []
