"""Demo mode: all that it adds, and that every answer says so."""

import pytest

from tests.contract import callers
from tests.contract.examples import example
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.world import PASSWORD, Things, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"DEMO": True}
PEOPLE = {
    "swagger_user": ("password123", "Swagger Regular User", "+7 (999) 123-45-67", False),
    "swagger_admin": ("admin123", "Swagger Admin User", "+7 (999) 987-65-43", True),
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_every_answer_says_that_this_is_a_demo(
    world: World, things: Things, operation: Operation
) -> None:
    if operation.is_stream:
        pytest.skip("it never ends")
    good = example(operation, things)

    answers = [
        await world.client.request(operation.verb, good.url, headers=headers)
        for headers in (good.headers, {}, callers.bearer("abc"))
    ]
    answers.append(await world.client.patch(good.url))

    assert [each.headers.get("X-Store-Demo") for each in answers] == ["1"] * 4


@pytest.mark.parametrize("address", ["/", "/health", "/ready", "/metrics", "/docs/", "/nowhere"])
async def test_pages_and_errors_say_so_too(world: World, address: str) -> None:
    for prefix in ("/api", "/cart-api", "/order-api", "/user-api"):
        answer = await world.client.get(f"{prefix}{address}")

        assert answer.headers["X-Store-Demo"] == "1"


async def test_what_is_refused_before_any_view_says_so_too(world: World) -> None:
    too_large = await world.client.post("/user-api/token", content=b" " * 300_000)
    no_utf_8 = await world.client.get("/api/products/?q=%ff")

    assert (too_large.status_code, too_large.headers["X-Store-Demo"]) == (413, "1")
    assert (no_utf_8.status_code, no_utf_8.headers["X-Store-Demo"]) == (400, "1")


@pytest.mark.parametrize("name", PEOPLE)
async def test_the_demo_users_are_there(world: World, name: str) -> None:
    password, full_name, phone, is_admin = PEOPLE[name]

    login = {"username": name, "password": password}
    token = await world.ok("POST", "/user-api/token", data=login)
    person = await world.get("/user-api/users/me", callers.bearer(token["access_token"]))

    assert (person["full_name"], person["phone"]) == (full_name, phone)
    assert (person["is_admin"], person["total_spent"]) == (is_admin, 0)


async def test_the_demo_token_is_an_admins(world: World) -> None:
    token = await world.get("/user-api/swagger-admin-token", {"Accept": "*/*"})

    assert (token["username"], token["is_admin"]) == ("swagger_admin", True)
    headers = callers.bearer(token["access_token"])
    assert (await world.get("/user-api/users/me", headers))["username"] == "swagger_admin"
    assert (await world.client.get("/cart-api/carts/", headers=headers)).status_code == 200


@pytest.mark.parametrize("name", ["admin_anna", "ADMIN_Bella"])
async def test_the_admins_prefix_makes_an_admin(world: World, name: str) -> None:
    person = {"username": name, "full_name": "Анна", "phone": "+7 999", "password": PASSWORD}

    user = await world.ok("POST", "/user-api/users/register", json=person)

    assert user["is_admin"] is True
    headers = callers.bearer(user["access_token"])
    assert (await world.client.get("/cart-api/carts/", headers=headers)).status_code == 200


async def test_the_admin_header_makes_an_admin_of_a_user(world: World) -> None:
    headers = callers.user("owner") | callers.ADMIN_HEADER

    carts = await world.client.get("/cart-api/carts/", headers=headers)
    own = await world.client.get("/cart-api/cart/", headers=headers)

    assert (carts.status_code, own.status_code) == (200, 200)


@pytest.mark.parametrize("word", ["false", "1", "yes", ""])
async def test_any_other_admin_header_is_none(world: World, word: str) -> None:
    answer = await world.client.get("/cart-api/carts/", headers={"admin": word})

    assert answer.status_code == 401
