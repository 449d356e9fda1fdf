"""Stock for orders over HTTP, as the other services use it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from store.clock import now
from tests.catalog.conftest import Headers
from tests.catalog.examples import ORDER

Add = Callable[..., Awaitable[dict[str, Any]]]
HOLD = f"/api/reservations/{ORDER}"


def basket(*lines: tuple[dict[str, Any], int], user_id: str = "alice") -> dict[str, Any]:
    items = [{"product_id": item["product_id"], "quantity": count} for item, count in lines]
    return {"user_id": user_id, "items": items}


@pytest.fixture
async def milk(add: Add) -> dict[str, Any]:
    return await add(stock_count=10)


@pytest.fixture
def left(
    shop: httpx.AsyncClient, user: Headers, milk: dict[str, Any]
) -> Callable[[], Awaitable[int]]:
    """What is left of the milk."""

    async def stock_count() -> int:
        answer = await shop.get(f"/api/products/{milk['product_id']}", headers=user)
        return int(answer.json()["stock_count"])

    return stock_count


Left = Callable[[], Awaitable[int]]


async def test_a_hold_answers_names_and_prices(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    answer = await shop.put(HOLD, json=basket((milk, 3)), headers=orders)

    assert answer.status_code == 200
    assert answer.json() == {
        "order_id": str(ORDER),
        "state": "held",
        "items": [
            {"product_id": milk["product_id"], "name": "Молоко", "price": 89.9, "quantity": 3}
        ],
    }
    assert await left() == 7


async def test_a_hold_may_be_repeated(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    first = await shop.put(HOLD, json=basket((milk, 3)), headers=orders)
    again = await shop.put(HOLD, json=basket((milk, 1), (milk, 2)), headers=orders)

    assert again.json() == first.json()
    assert await left() == 7


async def test_lines_of_one_product_are_added_up(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    answer = await shop.put(HOLD, json=basket((milk, 6), (milk, 6)), headers=orders)

    assert answer.status_code == 409
    assert await left() == 10


async def test_a_hold_repeated_after_the_sale_says_sold(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    await shop.put(HOLD, json=basket((milk, 3)), headers=orders)
    await shop.post(f"{HOLD}/sold", headers=orders)

    again = await shop.put(HOLD, json=basket((milk, 3)), headers=orders)

    assert (again.status_code, again.json()["state"]) == (200, "sold")
    assert await left() == 7


async def test_many_orders_are_moved_in_one_message(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    for order_id in ids:
        hold = basket((milk, 2))
        await shop.put(f"/api/reservations/{order_id}", json=hold, headers=orders)
    moves = ["sold", "return", "release"]
    body = {
        "moves": [
            {"order_id": order_id, "move": move}
            for order_id, move in zip([*ids, str(uuid4())], [*moves, "sold"], strict=True)
        ]
    }

    answers = [
        await shop.post("/api/reservations/moves", json=body, headers=orders) for _ in range(2)
    ]

    states = [[item["state"] for item in answer.json()["items"]] for answer in answers]
    assert states == [["sold", "returned", "released", "unknown"]] * 2
    assert await left() == 8


async def test_too_little_in_stock_says_what_is_left(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], add: Add, left: Left
) -> None:
    scarce = await add(stock_count=2)

    answer = await shop.put(HOLD, json=basket((milk, 3), (scarce, 3)), headers=orders)

    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert answer.json()["errors"] == {scarce["product_id"]: ["2 left."]}
    assert answer.json()["available"] == {scarce["product_id"]: 2}
    assert await left() == 10


async def test_a_product_that_is_gone_is_unavailable(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    gone = {"product_id": str(uuid4())}

    answer = await shop.put(HOLD, json=basket((milk, 3), (gone, 1)), headers=orders)

    assert (answer.status_code, answer.json()["code"]) == (409, "product_unavailable")
    assert answer.json()["products"] == [gone["product_id"]]
    assert await left() == 10


@pytest.mark.parametrize("changes", [{"user_id": "bob"}, {"quantity": 4}])
async def test_the_same_id_with_another_basket_is_a_mismatch(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], changes: dict[str, Any]
) -> None:
    await shop.put(HOLD, json=basket((milk, 3)), headers=orders)
    other = basket((milk, changes.get("quantity", 3)), user_id=changes.get("user_id", "alice"))

    answer = await shop.put(HOLD, json=other, headers=orders)

    assert (answer.status_code, answer.json()["code"]) == (409, "reservation_mismatch")


@pytest.mark.parametrize(
    ("calls", "states", "stock"),
    [
        (["sold"], ["sold"], 7),
        (["sold", "sold"], ["sold", "sold"], 7),
        (["return"], ["returned"], 10),
        (["return", "sold"], ["returned", "returned"], 10),
        (["sold", "return", "return"], ["sold", "returned", "returned"], 10),
        (["release"], ["released"], 10),
        (["release", "release", "sold"], ["released", "released", "released"], 10),
        (["sold", "release"], ["sold", "sold"], 7),
    ],
)
async def test_an_order_goes_its_way_once(
    shop: httpx.AsyncClient,
    orders: Headers,
    milk: dict[str, Any],
    left: Left,
    calls: list[str],
    states: list[str],
    stock: int,
) -> None:
    await shop.put(HOLD, json=basket((milk, 3)), headers=orders)

    answers = [await call(shop, name, orders) for name in calls]

    assert [answer.json() for answer in answers] == [
        {"order_id": str(ORDER), "state": state} for state in states
    ]
    assert await left() == stock


async def call(shop: httpx.AsyncClient, name: str, headers: Headers) -> httpx.Response:
    if name == "release":
        answer = await shop.delete(HOLD, headers=headers)
    else:
        answer = await shop.post(f"{HOLD}/{name}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("name", ["release", "return"])
async def test_what_has_ended_is_closed_even_when_it_was_never_held(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left, name: str
) -> None:
    before = drift()

    await call(shop, name, orders)
    answer = await shop.put(HOLD, json=basket((milk, 3)), headers=orders)

    assert (answer.status_code, answer.json()["code"]) == (409, "reservation_closed")
    assert drift() == before + 1
    assert await left() == 10


async def test_a_sale_of_an_unknown_order_is_drift(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any], left: Left
) -> None:
    before = drift()

    answer = await call(shop, "sold", orders)

    assert answer.json()["state"] == "unknown"
    assert drift() == before + 1
    assert await left() == 10


def drift() -> float:
    return sum(
        REGISTRY.get_sample_value("reservations_unknown_total", {"call": name}) or 0
        for name in ("sold", "returned", "released")
    )


async def test_a_return_to_a_deleted_product_succeeds(
    shop: httpx.AsyncClient, orders: Headers, admin: Headers, milk: dict[str, Any]
) -> None:
    await shop.put(HOLD, json=basket((milk, 3)), headers=orders)
    await shop.delete(f"/api/products/{milk['product_id']}", headers=admin)

    assert (await call(shop, "sold", orders)).json()["state"] == "sold"
    assert (await call(shop, "return", orders)).json()["state"] == "returned"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": [{"product_id": str(ORDER), "quantity": 1}]}, "user_id"),
        ({"user_id": "alice"}, "items"),
        ({"user_id": "alice", "items": []}, "items"),
        ({"user_id": "alice", "items": {}}, "items"),
        ({"user_id": "alice", "items": [5]}, "items.0"),
        ({"user_id": "alice", "items": [{"quantity": 1}]}, "items.0.product_id"),
        (
            {"user_id": "alice", "items": [{"product_id": "5", "quantity": 1}]},
            "items.0.product_id",
        ),
        *[
            (
                {"user_id": "alice", "items": [{"product_id": str(ORDER), "quantity": quantity}]},
                "items.0.quantity",
            )
            for quantity in (0, -1, 1.5, "1", True, None, 10**30)
        ],
    ],
)
async def test_a_malformed_hold_is_refused(
    shop: httpx.AsyncClient, orders: Headers, body: dict[str, Any], field: str
) -> None:
    answer = await shop.put(HOLD, json=body, headers=orders)

    assert answer.status_code == 400
    [named] = answer.json()["errors"]
    assert named.startswith(field)


async def test_a_sale_takes_no_body(shop: httpx.AsyncClient, orders: Headers) -> None:
    for name in ("sold", "return"):
        answer = await shop.post(f"{HOLD}/{name}", json={"quantity": 1}, headers=orders)
        assert answer.status_code == 400
        assert (await shop.post(f"{HOLD}/{name}", json={}, headers=orders)).status_code == 200


async def test_holds_are_listed_oldest_first(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any]
) -> None:
    order_ids = [str(uuid4()) for _ in range(5)]
    for order_id in order_ids:
        await shop.put(f"/api/reservations/{order_id}", json=basket((milk, 1)), headers=orders)
    met, cursor = [], ""

    while cursor is not None:
        answer = await shop.get(
            "/api/reservations/", params={"limit": "2", "cursor": cursor}, headers=orders
        )
        met += answer.json()["items"]
        cursor = answer.json()["next_cursor"]

    assert [item["order_id"] for item in met] == order_ids
    assert met[0].keys() == {"order_id", "user_id", "state", "created_at", "items"}
    assert (met[0]["user_id"], met[0]["state"]) == ("alice", "held")
    assert met[0]["created_at"].endswith("Z")
    assert datetime.fromisoformat(met[0]["created_at"]) <= now()
    assert met[0]["items"][0]["product_id"] == milk["product_id"]


async def test_holds_are_listed_by_age_and_state(
    shop: httpx.AsyncClient, orders: Headers, milk: dict[str, Any]
) -> None:
    await shop.put(HOLD, json=basket((milk, 1)), headers=orders)

    async def listed(query: str) -> int:
        answer = await shop.get(f"/api/reservations/?{query}", headers=orders)
        return len(answer.json()["items"])

    assert await listed("state=held&older_than=60") == 0
    assert await listed("state=held") == 1
    assert await listed("state=sold") == 0


@pytest.mark.parametrize(
    "query", ["state=gone", "older_than=-1", "older_than=x", "limit=0", "limit=1001", "cursor=x"]
)
async def test_a_bad_question_about_holds_is_refused(
    shop: httpx.AsyncClient, orders: Headers, query: str
) -> None:
    answer = await shop.get(f"/api/reservations/?{query}", headers=orders)

    assert answer.status_code == 400


async def test_reservations_are_for_services_alone(
    shop: httpx.AsyncClient, user: Headers, admin: Headers, milk: dict[str, Any], left: Left
) -> None:
    calls = [
        ("PUT", HOLD),
        ("DELETE", HOLD),
        ("POST", f"{HOLD}/sold"),
        ("POST", f"{HOLD}/return"),
        ("GET", "/api/reservations/"),
    ]

    for verb, path in calls:
        for headers, status in (({}, 401), (user, 403), (admin, 403)):
            body = basket((milk, 1)) if verb == "PUT" else None
            answer = await shop.request(verb, path, json=body, headers=headers)
            assert answer.status_code == status
    assert await left() == 10


async def test_the_demos_admin_header_opens_no_reservation(demo_shop: httpx.AsyncClient) -> None:
    answer = await demo_shop.get("/api/reservations/", headers={"admin": "true"})

    assert answer.status_code in {401, 403}


async def test_a_token_for_another_service_opens_nothing(
    shop: httpx.AsyncClient, as_service: Callable[..., Headers]
) -> None:
    answer = await shop.get("/api/reservations/", headers=as_service("catalog", "orders"))

    assert answer.status_code == 401


async def test_an_id_that_is_no_uuid_is_404(shop: httpx.AsyncClient, orders: Headers) -> None:
    assert (await shop.delete("/api/reservations/5", headers=orders)).status_code == 404
