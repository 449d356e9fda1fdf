"""POST /users/register, by everybody who may try."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from django.conf import LazySettings

from tests.accounts.conftest import ON_BOTH, PASSWORD, Visitor

USER_FIELDS = {"username", "full_name", "phone", "id", "created_at", "total_spent", "is_admin"}
TOKEN_FIELDS = {"access_token", "token_type", "expires_in"}
Auth = Callable[..., dict[str, str]]

pytestmark = ON_BOTH


async def test_a_new_user_is_logged_in(visitor: Visitor, shop: httpx.AsyncClient) -> None:
    answer = await visitor.register("alice")

    user = answer.json()
    assert answer.status_code == 201
    assert user.keys() == USER_FIELDS | TOKEN_FIELDS
    assert (user["id"], user["total_spent"], user["is_admin"]) == ("00000001", 0, False)
    assert (user["token_type"], user["expires_in"]) == ("bearer", 1800)
    assert user["created_at"].endswith("Z")
    assert answer.headers["Cache-Control"] == "no-store"
    mine = await shop.get(
        "/user-api/users/me", headers={"Authorization": f"Bearer {user['access_token']}"}
    )
    assert mine.json() == {name: user[name] for name in USER_FIELDS}


async def test_a_form_will_do(shop: httpx.AsyncClient) -> None:
    form = {"username": "bob", "full_name": "Боб", "phone": "12345", "password": PASSWORD}

    answer = await shop.post("/user-api/users/register", data=form)

    assert answer.status_code == 201
    assert "Боб" in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a" * 51),
        ("username", "алиса"),
        ("username", "alice\n"),
        ("username", "a b c"),
        ("username", "alice:"),
        ("username", "ａｌｉｃｅ"),
        ("username", 12345),
        ("username", None),
        ("full_name", ""),
        ("full_name", "   "),
        ("full_name", "a" * 101),
        ("full_name", "a\x00b"),
        ("phone", "1234"),
        ("phone", "1" * 21),
        ("phone", "12345x"),
        ("phone", "١٢٣٤٥"),
        ("phone", "12345\n"),
        ("phone", 1234567),
        ("password", "1234567"),
        ("password", "x" * 129),
        ("password", 12345678),
        ("is_admin", "true"),
        ("is_admin", 1),
        ("is_admin", None),
    ],
)
async def test_what_breaks_a_rule_is_named(visitor: Visitor, field: str, value: object) -> None:
    answer = await visitor.send({field: value})

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {field}


async def test_the_username_says_why_it_has_to_be_latin(visitor: Visitor) -> None:
    answer = await visitor.register("алиса")

    assert "header" in answer.json()["errors"]["username"][0]


@pytest.mark.parametrize(
    "password", ["x" * 8, "x" * 128, "пароль" * 21, " 12345678 ", "a\tb\nc 12"]
)
async def test_any_8_to_128_characters_are_a_password(visitor: Visitor, password: str) -> None:
    await visitor.register(password=password)

    assert (await visitor.log_in(password=password)).status_code == 200
    assert (await visitor.log_in(password=password[:-1])).status_code == 401


@pytest.mark.parametrize("again", ["alice", "ALICE"])
async def test_a_taken_name_is_taken_in_any_case(visitor: Visitor, again: str) -> None:
    await visitor.register("alice")

    answer = await visitor.register(again)

    assert answer.status_code == 400
    assert answer.json()["code"] == "username_taken"
    assert answer.json()["errors"]["username"]


async def test_one_of_forty_at_once_gets_the_name(visitor: Visitor) -> None:
    names = ["alice", "ALICE", "Alice", "aLICE"] * 10

    answers = await asyncio.gather(
        *(visitor.register(name, password=f"password {n}") for n, name in enumerate(names))
    )

    winners = [n for n, answer in enumerate(answers) if answer.status_code == 201]
    assert len(winners) == 1
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 39
    assert (await visitor.log_in(password=f"password {winners[0]}")).status_code == 200


@pytest.fixture
def no_queue(settings: LazySettings) -> None:
    settings.PASSWORD_THREADS, settings.PASSWORD_QUEUE = 1, 0


async def test_others_find_the_queue_full_and_their_names_still_free(
    no_queue: None, visitor: Visitor
) -> None:
    answers = await asyncio.gather(*(visitor.register(f"user{n}") for n in range(6)))

    busy = [n for n, answer in enumerate(answers) if answer.status_code == 503]
    assert busy
    assert answers[busy[0]].json()["code"] == "busy"
    assert int(answers[busy[0]].headers["Retry-After"]) > 0
    assert (await visitor.register(f"user{busy[0]}")).status_code == 201


@pytest.mark.parametrize("name", ["admin_x", "ADMIN_x", "Admin_"])
async def test_the_admins_prefix_is_refused(visitor: Visitor, name: str) -> None:
    answer = await visitor.register(name)

    assert answer.status_code == 400
    assert answer.json()["code"] == "username_reserved"


async def test_the_admins_prefix_makes_an_admin_in_demo_mode(demo: None, visitor: Visitor) -> None:
    answer = await visitor.register("admin_x")

    assert (answer.status_code, answer.json()["is_admin"]) == (201, True)


@pytest.mark.parametrize("caller", ["nobody", "user", "service", "nobody with the admin header"])
async def test_only_an_admin_makes_an_admin(
    shop: httpx.AsyncClient, auth: Auth, as_service: Auth, caller: str
) -> None:
    headers = {
        "nobody": {},
        "user": auth("bob"),
        "service": as_service("carts", "accounts"),
        "nobody with the admin header": {"admin": "true"},
    }[caller]

    answer = await _register(shop, headers, is_admin=True)

    assert (answer.status_code, answer.json()["code"]) == (403, "admins_only")
    assert (await _register(shop, headers, is_admin=False)).json()["is_admin"] is False


@pytest.mark.parametrize("caller", ["admin", "service with the admin role"])
async def test_an_admin_makes_an_admin(
    shop: httpx.AsyncClient, auth: Auth, as_service: Auth, caller: str
) -> None:
    headers = {
        "admin": auth("boss", admin=True),
        "service with the admin role": {**as_service("accounts", "accounts"), "admin": "true"},
    }[caller]

    answer = await _register(shop, headers, is_admin=True)

    assert (answer.status_code, answer.json()["is_admin"]) == (201, True)


async def test_bad_credentials_are_refused_even_here(shop: httpx.AsyncClient) -> None:
    answer = await _register(shop, {"Authorization": "Bearer nonsense"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_other_fields_change_nothing(visitor: Visitor) -> None:
    answer = await visitor.register(id="99999999", total_spent=5, password_hash="x", is_staff=True)

    user = answer.json()
    assert (user["id"], user["total_spent"]) == ("00000001", 0)
    assert "hash" not in answer.text


async def _register(
    shop: httpx.AsyncClient, headers: dict[str, str], **fields: object
) -> httpx.Response:
    body = {"username": "carol", "full_name": "Carol", "phone": "12345", "password": PASSWORD}
    return await shop.post("/user-api/users/register", json=body | fields, headers=headers)
