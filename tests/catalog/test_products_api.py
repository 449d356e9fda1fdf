"""Single products over HTTP: who may do what, what is refused, what is kept."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.catalog.conftest import Headers
from tests.catalog.examples import MILK

Add = Callable[..., Awaitable[dict[str, Any]]]

BAD_FIELDS = [
    ("name", ""),
    ("name", "я" * 201),
    ("name", None),
    ("name", 5),
    ("name", "a\x00b"),
    ("category", ""),
    ("category", "я" * 51),
    ("category", None),
    ("price", 0),
    ("price", -1),
    ("price", "89.90"),
    ("price", 0.001),
    ("price", 100000000),
    ("price", 10**30),
    ("price", True),
    ("price", None),
    ("stock_count", -1),
    ("stock_count", 2**31),
    ("stock_count", 10**30),
    ("stock_count", 1.5),
    ("stock_count", "1"),
    ("stock_count", True),
    ("stock_count", None),
    ("description", "я" * 1001),
    ("description", 5),
    ("manufacturer", "я" * 101),
]


async def test_an_admin_adds_a_product_and_everybody_sees_it(
    shop: httpx.AsyncClient, admin: Headers, user: Headers
) -> None:
    sent = MILK | {"description": "Свежее", "manufacturer": None}

    added = await shop.post("/api/products/", json=sent, headers=admin)

    assert added.status_code == 201
    seen = await shop.get(f"/api/products/{added.json()['product_id']}", headers=user)
    assert seen.json() == added.json() == sent | {"product_id": added.json()["product_id"]}
    assert "Молоко" in seen.text


@pytest.mark.parametrize(("price", "shown"), [(5, 5), (5.5, 5.5), (99999999.99, 99999999.99)])
async def test_a_price_comes_back_as_it_was_sent(add: Add, price: float, shown: float) -> None:
    assert (await add(price=price))["price"] == shown


async def test_the_longest_texts_and_the_largest_stock_are_fine(add: Add) -> None:
    fields = {
        "name": "я" * 200,
        "category": "ё" * 50,
        "description": "\U0001f34e" * 1000,
        "manufacturer": "щ" * 100,
        "stock_count": 2**31 - 1,
    }

    assert (await add(**fields)).items() >= fields.items()


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
async def test_a_bad_field_is_named(
    shop: httpx.AsyncClient, admin: Headers, field: str, value: object
) -> None:
    answer = await shop.post("/api/products/", json=MILK | {field: value}, headers=admin)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("field", ["name", "category", "price", "stock_count"])
async def test_a_new_product_needs_its_fields(
    shop: httpx.AsyncClient, admin: Headers, field: str
) -> None:
    sent = {name: value for name, value in MILK.items() if name != field}

    answer = await shop.post("/api/products/", json=sent, headers=admin)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


async def test_a_form_may_spell_numbers(shop: httpx.AsyncClient, admin: Headers) -> None:
    form = {name: str(value) for name, value in MILK.items()}

    answer = await shop.post("/api/products/", data=form, headers=admin)

    assert answer.status_code == 201
    assert answer.json().items() >= MILK.items()


async def test_the_id_is_not_the_clients_to_choose(add: Add) -> None:
    chosen = str(uuid4())

    assert (await add(product_id=chosen))["product_id"] != chosen


async def test_a_change_leaves_the_rest_as_it_is(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    milk = await add(description="Свежее")

    answer = await shop.put(
        f"/api/products/{milk['product_id']}", json={"price": 95}, headers=admin
    )

    assert answer.status_code == 200
    assert answer.json() == milk | {"price": 95}


async def test_every_field_can_be_changed(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    milk = await add()
    changes = {
        "name": "Кефир",
        "category": "Напитки",
        "price": 1.01,
        "stock_count": 0,
        "description": "Густой",
        "manufacturer": "Домик",
    }
    address = f"/api/products/{milk['product_id']}"

    await shop.put(address, json=changes, headers=admin)

    seen = await shop.get(address, headers=admin)
    assert seen.json() == changes | {"product_id": milk["product_id"]}


async def test_null_clears_what_may_be_missing(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    milk = await add(description="Свежее", manufacturer="Домик")

    answer = await shop.put(
        f"/api/products/{milk['product_id']}",
        json={"description": None, "manufacturer": None},
        headers=admin,
    )

    assert answer.json() == milk | {"description": None, "manufacturer": None}


async def test_a_change_of_nothing_is_fine(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    milk = await add()

    answer = await shop.put(f"/api/products/{milk['product_id']}", json={}, headers=admin)

    assert (answer.status_code, answer.json()) == (200, milk)


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
async def test_a_bad_change_changes_nothing(
    shop: httpx.AsyncClient, admin: Headers, add: Add, field: str, value: object
) -> None:
    milk = await add()
    address = f"/api/products/{milk['product_id']}"

    answer = await shop.put(address, json={"name": "Кефир", field: value}, headers=admin)

    assert answer.status_code == 400
    assert (await shop.get(address, headers=admin)).json() == milk


async def test_a_deleted_product_is_gone(shop: httpx.AsyncClient, admin: Headers, add: Add) -> None:
    address = f"/api/products/{(await add())['product_id']}"

    answer = await shop.delete(address, headers=admin)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await shop.get(address, headers=admin)).status_code == 404
    assert (await shop.delete(address, headers=admin)).status_code == 404


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("product_id", [uuid4(), "5", "null", f"{{{uuid4()}}}"])
async def test_what_is_not_there_is_404(
    shop: httpx.AsyncClient, admin: Headers, verb: str, product_id: object
) -> None:
    answer = await shop.request(
        verb, f"/api/products/{product_id}", json=MILK if verb == "PUT" else None, headers=admin
    )

    assert answer.status_code == 404
    assert answer.json()["code"] in {"not_found", "product_not_found"}


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
async def test_only_admins_change_products(
    shop: httpx.AsyncClient, user: Headers, orders: Headers, add: Add, verb: str
) -> None:
    milk = await add()
    address = "/api/products/" + ("" if verb == "POST" else milk["product_id"])

    for headers, status in (({}, 401), (user, 403), (orders, 403)):
        answer = await shop.request(verb, address, json=MILK, headers=headers)
        assert answer.status_code == status
    assert (await shop.get("/api/products/categories/list")).json()[0]["product_count"] == 1


async def test_a_product_is_shown_to_callers_alone(
    shop: httpx.AsyncClient, user: Headers, admin: Headers, orders: Headers, add: Add
) -> None:
    address = f"/api/products/{(await add())['product_id']}"

    nobody = await shop.get(address)

    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    for headers in (user, admin, orders):
        assert (await shop.get(address, headers=headers)).status_code == 200


async def test_the_demo_has_an_admin_header_and_products(demo_shop: httpx.AsyncClient) -> None:
    answer = await demo_shop.get("/api/products/", headers={"admin": "true"})

    assert answer.status_code == 200
    assert answer.json()["total"] > 100


async def test_without_the_demo_the_admin_header_means_nothing(
    shop: httpx.AsyncClient, user: Headers
) -> None:
    assert (await shop.get("/api/products/", headers={"admin": "true"})).status_code == 401
    answer = await shop.post("/api/products/", json=MILK, headers=user | {"admin": "true"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("PUT", "/api/products/", {"GET", "POST"}),
        ("DELETE", "/api/products/categories/list", {"GET"}),
        ("POST", "/api/products/by-category/Сыры", {"GET"}),
        ("POST", f"/api/products/{uuid4()}", {"GET", "PUT", "DELETE"}),
        ("GET", "/api/products/import", {"POST"}),
    ],
)
async def test_another_verb_is_told_which_ones_there_are(
    shop: httpx.AsyncClient, admin: Headers, verb: str, path: str, allowed: set[str]
) -> None:
    answer = await shop.request(verb, path, headers=admin)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS", "HEAD"} == allowed


async def test_a_product_page_opens_in_a_browser(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    address = f"/api/products/{(await add())['product_id']}"

    page = await shop.get(address, headers=admin | {"Accept": "text/html"})

    assert page.status_code == 200
    assert "Молоко" in page.text


# The import


def imported(**fields: Any) -> dict[str, Any]:
    return MILK | {"product_id": str(uuid4())} | fields


async def test_an_import_adds_what_is_missing_and_leaves_the_rest(
    shop: httpx.AsyncClient, orders: Headers, user: Headers
) -> None:
    milk, kefir = imported(), imported(name="Кефир")
    await shop.post("/api/products/import", json={"products": [milk]}, headers=orders)

    answer = await shop.post(
        "/api/products/import",
        json={"products": [milk | {"name": "Другое"}, kefir, kefir]},
        headers=orders,
    )

    assert (answer.status_code, answer.json()) == (200, {"created": 1, "existing": 2})
    seen = await shop.get(f"/api/products/{milk['product_id']}", headers=user)
    assert seen.json()["name"] == "Молоко"


async def test_an_import_with_a_bad_product_adds_none(
    shop: httpx.AsyncClient, orders: Headers
) -> None:
    products = [imported(), imported(price=0), imported(product_id="5")]

    answer = await shop.post("/api/products/import", json={"products": products}, headers=orders)

    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"products.1.price", "products.2.product_id"}
    assert (await shop.get("/api/products/categories/list")).json() == []


@pytest.mark.parametrize("body", [{}, {"products": {}}, {"products": [5]}, {"products": None}, []])
async def test_an_import_of_nonsense_is_refused(
    shop: httpx.AsyncClient, orders: Headers, body: object
) -> None:
    answer = await shop.post("/api/products/import", json=body, headers=orders)

    assert answer.status_code == 400


async def test_an_import_takes_500_at_most(shop: httpx.AsyncClient, orders: Headers) -> None:
    products = [imported(name="x", category="x") for _ in range(501)]

    too_many = await shop.post("/api/products/import", json={"products": products}, headers=orders)
    enough = await shop.post(
        "/api/products/import", json={"products": products[1:]}, headers=orders
    )

    assert too_many.status_code == 400
    assert enough.json() == {"created": 500, "existing": 0}


async def test_only_services_import(shop: httpx.AsyncClient, admin: Headers, user: Headers) -> None:
    for headers, status in (({}, 401), (user, 403), (admin, 403)):
        answer = await shop.post("/api/products/import", json={"products": []}, headers=headers)
        assert answer.status_code == status
