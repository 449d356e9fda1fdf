"""Repetitions under a key, and what is answered while a service is away or stops."""

import httpx
import pytest

from store import service
from tests.contract import callers
from tests.contract.outage import away
from tests.contract.world import PRICE, World, order_of, said

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("address", ["/cart-api/cart/checkout", "/user-api/users/me/orders"])
async def test_a_key_with_another_body_is_422_and_a_repetition_is_replayed(
    world: World, buyer: str, address: str
) -> None:
    product = await world.product()
    headers = callers.user(buyer) | {"Idempotency-Key": "once"}
    await world.add(product, to=buyer)

    first = await world.client.post(address, headers=headers)
    await world.add(product, to=buyer)
    again = await world.client.post(address, headers=headers)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len((await world.get("/cart-api/cart/", headers))["items"]) == 1


async def test_an_order_under_a_key_is_made_once(world: World, buyer: str) -> None:
    product = await world.product()
    headers = callers.user(buyer) | {"Idempotency-Key": '"once"'}

    async def order(quantity: int) -> httpx.Response:
        body = order_of(product, quantity)
        return await world.client.post("/order-api/orders/", json=body, headers=headers)

    first, again, other = await order(1), await order(1), await order(2)

    assert (first.status_code, again.status_code, said(other)[0]) == (201, 201, 422)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert said(other) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("missing", "verb", "address"),
    [
        ("catalog", "POST", "/cart-api/cart/items"),
        ("catalog", "PUT", "/cart-api/cart/items/{product}"),
        ("catalog", "POST", "/cart-api/products/{product}/view"),
        ("orders", "POST", "/cart-api/cart/checkout"),
        ("carts", "GET", "/user-api/users/me/cart"),
        ("carts", "POST", "/user-api/users/me/orders"),
        ("orders", "GET", "/user-api/users/me/orders"),
        ("catalog", "POST", "/order-api/orders/"),
    ],
)
async def test_without_a_service_what_needs_it_is_503_and_nothing_is_lost(
    world: World, buyer: str, missing: str, verb: str, address: str
) -> None:
    product, headers = await world.product(), callers.user(buyer)
    await world.add(product, to=buyer)
    body = order_of(product) | {"product_id": product, "quantity": 1}
    takes_none = verb == "GET" or address.endswith(("view", "checkout", "me/orders"))

    with away(missing):
        answer = await world.client.request(
            verb,
            address.format(product=product),
            headers=headers,
            **({} if takes_none else {"json": body}),
        )

    assert said(answer) == (503, "service_unavailable")
    assert len((await world.get("/cart-api/cart/", headers))["items"]) == 1
    assert await world.get("/order-api/orders/", headers) == []


@pytest.mark.parametrize("missing", [("carts",), ("orders",), ("carts", "orders")])
async def test_a_profile_says_which_part_is_away(
    world: World, buyer: str, missing: tuple[str, ...]
) -> None:
    product = await world.product()
    await world.order(product, of=buyer)
    await world.add(product, to=buyer)

    with away(*missing):
        profile = await world.get("/user-api/users/me/profile", callers.user(buyer))

    assert profile["unavailable"] == list(missing)
    assert profile["current_cart_total"] == (0 if "carts" in missing else PRICE)
    assert len(profile["orders"]) == (0 if "orders" in missing else 1)


@pytest.mark.parametrize("prefix", ["/api", "/cart-api", "/order-api", "/user-api"])
async def test_a_service_that_stops_is_alive_but_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setattr(service.state, "is_draining", True)

    ready = await world.client.get(f"{prefix}/ready")
    health = await world.client.get(f"{prefix}/health")

    assert ready.status_code == 503
    assert int(ready.headers["Retry-After"]) > 0
    assert health.status_code == 200
