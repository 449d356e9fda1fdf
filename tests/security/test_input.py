"""What may be said in two ways is settled: parameters stand once, ids are read in either case."""

from uuid import UUID

import pytest

from tests.contract import callers
from tests.contract.world import Things, World, said

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOSS = callers.admin()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/api/products/?category=a&category=b", "category"),
        ("/api/products/by-category/x?limit=1&limit=1", "limit"),
        ("/cart-api/carts/?limit=1&limit=2", "limit"),
        ("/order-api/orders/?status=CREATED&status=CANCELLED", "status"),
    ],
)
async def test_a_parameter_that_stands_twice_is_refused_by_its_name(
    world: World, address: str, name: str
) -> None:
    answer = await world.client.get(address, headers=BOSS)

    assert said(answer) == (400, "invalid")
    assert list(answer.json()["errors"]) == [name]


async def test_a_field_that_stands_twice_in_a_form_is_refused(world: World) -> None:
    form = b"username=owner&password=correct+horse&username=boss"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await world.client.post("/user-api/token", content=form, headers=headers)

    assert said(answer) == (400, "invalid")


async def test_what_is_not_known_may_stand_twice(world: World) -> None:
    answer = await world.client.get("/api/products/?utm=1&utm=2", headers=BOSS)

    assert answer.status_code == 200


async def test_an_id_in_capitals_is_the_same_id_in_path_and_body(
    world: World, things: Things
) -> None:
    large = things.product.upper()
    line = {"product_id": large, "quantity": 1}

    looked = await world.client.get(f"/api/products/{large}", headers=BOSS)
    order = await world.client.get(f"/order-api/orders/{things.order.upper()}", headers=BOSS)
    added = await world.client.post("/cart-api/cart/items", json=line, headers=BOSS)

    assert [each.status_code for each in (looked, order, added)] == [200, 200, 200]
    assert looked.json()["product_id"] == added.json()["product_id"] == str(UUID(large))
