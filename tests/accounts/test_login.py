"""POST /token and its siblings: who gets in, who is slowed down, what is never said."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from accounts.metrics import LOGINS
from tests.accounts.conftest import PASSWORD, Visitor

Auth = Callable[..., dict[str, str]]
TOKEN = "/user-api/token"
VERIFY = "/user-api/users/verify"


@pytest.fixture
async def registered(visitor: Visitor) -> Visitor:
    await visitor.register("alice")
    return visitor


async def test_a_form_gets_a_token(registered: Visitor, shop: httpx.AsyncClient) -> None:
    answer = await registered.log_in()

    token = answer.json()
    assert answer.status_code == 200
    assert token.keys() == {"access_token", "token_type", "expires_in"}
    assert (token["token_type"], token["expires_in"]) == ("bearer", 1800)
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await shop.get("/user-api/users/me", headers=headers)).status_code == 200


async def test_json_gets_a_token(registered: Visitor, shop: httpx.AsyncClient) -> None:
    answer = await shop.post(TOKEN, json={"username": "alice", "password": PASSWORD})

    assert answer.status_code == 200


async def test_a_name_typed_in_another_case_is_the_same_person(registered: Visitor) -> None:
    assert (await registered.log_in("ALICE")).status_code == 200


async def test_the_other_fields_of_oauth2_are_ignored(
    registered: Visitor, shop: httpx.AsyncClient
) -> None:
    form = {"username": "alice", "password": PASSWORD, "grant_type": "password"}
    form |= {"scope": "a b", "client_id": "c", "client_secret": "d"}

    assert (await shop.post(TOKEN, data=form)).status_code == 200
    basic = await shop.post(TOKEN, data=form, headers={"Authorization": "Basic Yzpk"})
    assert basic.status_code == 200


async def test_another_grant_is_refused(registered: Visitor, shop: httpx.AsyncClient) -> None:
    form = {"username": "alice", "password": PASSWORD, "grant_type": "client_credentials"}

    answer = await shop.post(TOKEN, data=form)

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"grant_type"}


async def test_a_bad_token_is_refused_even_here(
    registered: Visitor, shop: httpx.AsyncClient
) -> None:
    form = {"username": "alice", "password": PASSWORD}

    answer = await shop.post(TOKEN, data=form, headers={"Authorization": "Bearer nonsense"})

    assert answer.status_code == 401


async def test_unknown_user_and_wrong_password_look_the_same(registered: Visitor) -> None:
    wrong = await registered.log_in(password="wrong horse")
    unknown = await registered.log_in("nobody")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("password", ["x", "x" * 129, "x" * 257, "ы" * 64, " ", "x" * 4096])
async def test_what_nobody_can_have_is_wrong(registered: Visitor, password: str) -> None:
    assert (await registered.log_in(password=password)).status_code == 401


@pytest.mark.parametrize("name", ["алиса", "a b", "a", "\u212alice", "x" * 254, "'; --"])
async def test_who_nobody_can_be_is_unknown(registered: Visitor, name: str) -> None:
    assert (await registered.log_in(name)).status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"username": "alice"}, {"password": "x"}, {"username": 5, "password": "x"}, []]
)
async def test_malformed_requests_do_not_count(
    registered: Visitor, shop: httpx.AsyncClient, body: Any
) -> None:
    for _ in range(12):
        assert (await shop.post(TOKEN, json=body)).status_code == 400

    assert (await registered.log_in()).status_code == 200


async def test_the_eleventh_guess_is_refused(registered: Visitor) -> None:
    for _ in range(10):
        assert (await registered.log_in(password="wrong horse")).status_code == 401

    answer = await registered.log_in()

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_guesses")
    assert 290 <= int(answer.headers["Retry-After"]) <= 300


async def test_the_owner_elsewhere_still_gets_in(
    registered: Visitor, shop: httpx.AsyncClient
) -> None:
    for _ in range(11):
        await registered.log_in(password="wrong horse")

    form = {"username": "alice", "password": PASSWORD}
    answer = await shop.post(TOKEN, data=form, headers={"X-Real-IP": "198.51.100.9"})

    assert answer.status_code == 200


async def test_a_stranger_cannot_choose_the_address(
    registered: Visitor, shop: httpx.AsyncClient, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    form = {"username": "alice", "password": "wrong horse"}

    answers = [
        await shop.post(TOKEN, data=form, headers={"X-Real-IP": f"198.51.100.{n}"})
        for n in range(11)
    ]

    assert answers[-1].status_code == 429


async def test_parallel_guesses_do_not_slip_past(registered: Visitor) -> None:
    answers = await asyncio.gather(*(registered.log_in(password="wrong") for _ in range(30)))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 20)


async def test_a_right_password_starts_the_count_anew(registered: Visitor) -> None:
    for _ in range(2):
        for _ in range(9):
            await registered.log_in(password="wrong horse")
        assert (await registered.log_in()).status_code == 200


async def test_an_address_guesses_a_hundred_times_in_all(
    registered: Visitor, shop: httpx.AsyncClient
) -> None:
    for n in range(100):
        assert (await registered.log_in(f"user{n}")).status_code == 401

    assert (await registered.log_in("somebody-else")).status_code == 429
    assert (await shop.get("/user-api/health")).status_code == 200


async def test_outcomes_are_counted_without_names(
    registered: Visitor, shop: httpx.AsyncClient
) -> None:
    before = {outcome: _count(outcome) for outcome in ("ok", "wrong", "throttled")}
    await registered.log_in()
    for _ in range(11):
        await registered.log_in(password="wrong horse")

    after = {outcome: _count(outcome) for outcome in ("ok", "wrong", "throttled")}

    assert [after[key] - before[key] for key in after] == [1, 10, 1]
    metrics = (await shop.get("/user-api/metrics")).text
    assert "users_registered_total" in metrics
    assert 'logins_total{outcome="busy"}' in metrics
    assert "alice" not in metrics


async def test_no_log_holds_a_password_or_a_token(
    registered: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = (await registered.log_in()).json()["access_token"]
    await registered.log_in(password="a wrong secret")
    await registered.register("bob", password="another secret", phone="bad")

    for secret in (PASSWORD, token, "a wrong secret", "another secret"):
        assert secret not in caplog.text


async def test_services_check_the_passwords_of_their_pages(
    registered: Visitor, shop: httpx.AsyncClient, as_service: Auth
) -> None:
    right = await _verify(shop, as_service("catalog", "accounts"))
    wrong = await _verify(shop, as_service("catalog", "accounts"), password="wrong horse")

    assert (right.status_code, right.json()) == (200, {"username": "alice", "is_admin": False})
    assert wrong.status_code == 401


async def test_pages_and_api_share_one_count(
    registered: Visitor, shop: httpx.AsyncClient, as_service: Auth
) -> None:
    service = as_service("orders", "accounts")
    there = {**service, "X-Client-Address": "203.0.113.7"}
    for _ in range(10):
        await _verify(shop, there, password="wrong horse")

    assert (await _verify(shop, there)).status_code == 429
    form = {"username": "alice", "password": PASSWORD}
    api = await shop.post(TOKEN, data=form, headers={"X-Real-IP": "203.0.113.7"})
    assert api.status_code == 429
    elsewhere = {**service, "X-Client-Address": "203.0.113.8"}
    assert (await _verify(shop, elsewhere)).status_code == 200


@pytest.mark.parametrize(("caller", "status"), [("nobody", 401), ("user", 403), ("admin", 403)])
async def test_nobody_else_checks_passwords(
    shop: httpx.AsyncClient, auth: Auth, caller: str, status: int
) -> None:
    headers = {"nobody": {}, "user": auth("bob"), "admin": auth("boss", admin=True)}[caller]

    assert (await _verify(shop, headers)).status_code == status


async def test_there_is_no_demo_token_outside_demo_mode(shop: httpx.AsyncClient) -> None:
    assert (await shop.get("/user-api/swagger-admin-token")).status_code == 404


async def test_demo_mode_gives_an_admins_token(demo_shop: httpx.AsyncClient) -> None:
    answer = (await demo_shop.get("/user-api/swagger-admin-token")).json()

    assert answer.keys() == {"access_token", "token_type", "username", "is_admin"}
    assert (answer["username"], answer["is_admin"]) == ("swagger_admin", True)
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    me = (await demo_shop.get("/user-api/users/me", headers=headers)).json()
    assert (me["full_name"], me["phone"]) == ("Swagger Admin User", "+7 (999) 987-65-43")


@pytest.mark.parametrize(
    ("username", "password", "is_admin"),
    [("swagger_user", "password123", False), ("swagger_admin", "admin123", True)],
)
async def test_demo_users_log_in(
    demo_shop: httpx.AsyncClient, username: str, password: str, is_admin: bool
) -> None:
    form = {"username": username, "password": password}

    token = (await demo_shop.post(TOKEN, data=form)).json()["access_token"]

    me = await demo_shop.get("/user-api/users/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["is_admin"] is is_admin


async def test_demo_users_exist_in_demo_mode_only(visitor: Visitor) -> None:
    assert (await visitor.log_in("swagger_user", "password123")).status_code == 401


def _count(outcome: str) -> float:
    return float(LOGINS.labels(outcome)._value.get())


async def _verify(
    shop: httpx.AsyncClient, headers: dict[str, str], *, password: str = PASSWORD
) -> httpx.Response:
    body = {"username": "alice", "password": password}
    return await shop.post(VERIFY, json=body, headers=headers)
