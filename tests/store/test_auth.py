"""Who is calling: people, services, the demo's role; and everyone who only says so."""

import time
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from store import auth, tokens
from store.auth import Caller, identify
from store.errors import NotAuthenticated
from tests.store.connection import Connection
from tests.store.forgery import forged, service_claims, user_claims


def headers(token: str, **others: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}", **others}


def user(**claims: Any) -> str:
    return forged(user_claims(**claims))


def service(**claims: Any) -> str:
    return forged(service_claims(**claims))


def test_without_headers_it_is_nobody() -> None:
    caller = identify({}, callee="catalog")

    assert not caller.is_authenticated
    assert (caller.username, caller.is_admin, caller.service) == (None, False, None)


@pytest.mark.parametrize("is_admin", [True, False])
def test_a_user_is_who_the_token_says(is_admin: bool) -> None:
    token, _ = tokens.user_token("alice", is_admin)

    assert identify(headers(token), callee="orders") == Caller("alice", is_admin)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer ", "Bearer   "])
def test_the_scheme_is_read_without_case_and_blanks(scheme: str) -> None:
    caller = identify({"HTTP_AUTHORIZATION": f"{scheme} {user()}"}, callee="orders")

    assert caller.username == "alice"


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YTpi", "Token {}", "{}", "Bearer{}"]
)
def test_any_other_authorization_is_refused_not_overlooked(value: str) -> None:
    with pytest.raises(NotAuthenticated):
        identify({"HTTP_AUTHORIZATION": value.format(user())}, callee="catalog")


NO_USERS: dict[str, Any] = {
    "sub empty": {"sub": ""},
    "sub missing": {"sub": ...},
    "sub null": {"sub": None},
    "sub a number": {"sub": 1},
    "sub a list": {"sub": ["alice"]},
    "sub too short": {"sub": "al"},
    "sub too long": {"sub": "a" * 51},
    "sub with a line break": {"sub": "alice\nbob"},
    "sub in Cyrillic": {"sub": "алиса"},
    "sub a service": {"sub": "service:carts"},
    "is_admin missing": {"is_admin": ...},
    "is_admin null": {"is_admin": None},
    "is_admin a string": {"is_admin": "true"},
    "is_admin a number": {"is_admin": 1},
    "is_admin a list": {"is_admin": [True]},
    "an audience": {"aud": "catalog"},
    "an audience list": {"aud": ["catalog"]},
    "typ service": {"typ": "service"},
    "typ service and audience": {"typ": "service", "aud": "catalog"},
}


@pytest.mark.parametrize("claims", NO_USERS.values(), ids=NO_USERS.keys())
def test_a_signed_token_that_is_no_users_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        identify(headers(user(**claims)), callee="catalog")


def test_a_service_is_who_its_token_says_and_nobody_else() -> None:
    caller = identify(headers(tokens.service_token("carts", "catalog")), callee="catalog")

    assert (caller.service, caller.username, caller.is_admin) == ("carts", None, False)


NO_SERVICES: dict[str, Any] = {
    "foreign audience": {"aud": "orders"},
    "unknown audience": {"aud": "warehouse"},
    "no audience": {"aud": ...},
    "audience null": {"aud": None},
    "audience list": {"aud": ["catalog"]},
    "audience a number": {"aud": 1},
    "no typ": {"typ": ...},
    "typ of another kind": {"typ": "Service"},
    "typ a list": {"typ": ["service"]},
    "unknown service": {"sub": "service:warehouse"},
    "no name": {"sub": "service:"},
    "a name without its prefix": {"sub": "carts"},
    "prefix twice": {"sub": "service:service:carts"},
    "a username": {"sub": "alice"},
}


@pytest.mark.parametrize("claims", NO_SERVICES.values(), ids=NO_SERVICES.keys())
def test_a_signed_token_that_is_no_services_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        identify(headers(service(**claims)), callee="catalog")


def test_a_service_never_becomes_a_user_by_an_is_admin_claim() -> None:
    caller = identify(headers(service(is_admin=True)), callee="catalog")

    assert (caller.service, caller.is_admin) == ("carts", False)


def test_a_foreign_audience_is_refused_from_memory_too() -> None:
    token = tokens.service_token("carts", "catalog")
    identify(headers(token), callee="catalog")

    with pytest.raises(NotAuthenticated):
        identify(headers(token), callee="orders")


def test_a_service_acts_for_the_user_it_names() -> None:
    token = tokens.service_token("carts", "orders")

    caller = identify(headers(token, HTTP_X_USER_ID="bob"), callee="orders")

    assert (caller.username, caller.service, caller.is_admin) == ("bob", "carts", False)


def test_x_user_id_is_refused_from_anyone_but_a_service() -> None:
    for claimed in ({}, headers(user()), headers(user(is_admin=True))):
        with pytest.raises(NotAuthenticated):
            identify({**claimed, "HTTP_X_USER_ID": "alice"}, callee="catalog")


def test_x_user_id_is_refused_in_demo_mode_as_well(demo: None) -> None:
    with pytest.raises(NotAuthenticated):
        identify({"HTTP_X_USER_ID": "bob", "HTTP_ADMIN": "true"}, callee="catalog")


@pytest.mark.parametrize("name", ["", "al", "a" * 51, "bob,alice", "bob\n", "service:carts", "Боб"])
def test_a_service_names_users_by_their_usernames(name: str) -> None:
    token = tokens.service_token("carts", "catalog")

    with pytest.raises(NotAuthenticated):
        identify(headers(token, HTTP_X_USER_ID=name), callee="catalog")


def test_the_admin_header_means_nothing_outside_demo_mode() -> None:
    assert not identify({"HTTP_ADMIN": "true"}, callee="catalog").is_authenticated
    assert not identify(headers(user(), HTTP_ADMIN="true"), callee="catalog").is_admin


def test_the_admin_header_of_a_service_counts_always() -> None:
    token = tokens.service_token("carts", "catalog")

    assert identify(headers(token, HTTP_ADMIN="true"), callee="catalog").is_admin


def test_in_demo_mode_the_admin_header_is_the_role_without_a_person(demo: None) -> None:
    caller = identify({"HTTP_ADMIN": "true"}, callee="catalog")

    assert caller == Caller(username=None, is_admin=True)
    assert identify(headers(user(), HTTP_ADMIN="TRUE"), callee="carts") == Caller(
        "alice", is_admin=True
    )


@pytest.mark.parametrize("value", ["", "false", "1", "yes", "true,true", "truetrue"])
def test_the_admin_header_is_true_or_nothing(demo: None, value: str) -> None:
    assert not identify({"HTTP_ADMIN": value}, callee="catalog").is_admin


def test_in_demo_mode_a_bad_token_is_refused_with_the_admin_header_too(demo: None) -> None:
    with pytest.raises(NotAuthenticated):
        identify(headers("junk", HTTP_ADMIN="true"), callee="catalog")


def test_a_remembered_token_ends_when_it_expires() -> None:
    memory = auth._Memory(limit=10)
    memory.add("Bearer fresh", Caller("alice"), int(time.time()) + 60)
    memory.add("Bearer old", Caller("alice"), int(time.time()))

    assert memory.get("Bearer fresh") == Caller("alice")
    assert memory.get("Bearer old") is None


def test_the_memory_is_bounded_and_forgets_the_oldest_first() -> None:
    memory = auth._Memory(limit=100)
    for number in range(1000):
        memory.add(f"Bearer {number}", Caller("alice"), int(time.time()) + 60)

    assert len(memory._callers) == 100
    assert memory.get("Bearer 899") is None
    assert memory.get("Bearer 900") is not None


def test_one_token_does_not_fill_the_memory_under_many_spellings() -> None:
    token = user(more="one spelling")

    for blanks in range(50):
        identify({"HTTP_AUTHORIZATION": f"Bearer {' ' * blanks}{token}"}, callee="catalog")

    assert [key for key in auth._memory._callers if token in key] == [f"Bearer {token}"]


def test_a_refused_token_is_not_remembered() -> None:
    token = user(sub="x")
    with pytest.raises(NotAuthenticated):
        identify(headers(token), callee="catalog")

    assert f"Bearer {token}" not in auth._memory._callers


@pytest.mark.parametrize("path", ["/caller", "/anyone", "/lines"])
async def test_bad_tokens_are_401_everywhere_and_say_how_to_do_better(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path, headers={"Authorization": "Bearer junk"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["code"] == "bad_token"


async def test_two_authorization_headers_are_401_though_both_are_good(tiny_service: None) -> None:
    one = (b"authorization", f"Bearer {user()}".encode())

    connection = await Connection("GET", "/caller", headers=[one, one]).run()

    assert connection.status == 401


async def test_x_user_id_spelled_with_underscores_is_no_such_header(tiny_service: None) -> None:
    token = (b"authorization", f"Bearer {tokens.service_token('carts', 'catalog')}".encode())
    names = [(b"x_user_id", b"bob"), (b"X_User_ID", b"bob"), (b"x-user_id", b"bob")]

    connection = await Connection("GET", "/caller", headers=[token, *names]).run()

    assert b'"username":null' in connection.body


async def test_a_doubled_x_user_id_names_nobody(tiny_service: None) -> None:
    token = (b"authorization", f"Bearer {tokens.service_token('carts', 'catalog')}".encode())
    twice = [(b"x-user-id", b"alice"), (b"x-user-id", b"bob")]

    assert (await Connection("GET", "/caller", headers=[token, *twice]).run()).status == 401


def test_the_demo_switch_is_the_setting(settings: LazySettings) -> None:
    settings.DEMO = True
    assert identify({"HTTP_ADMIN": "true"}, callee="catalog").is_admin
    settings.DEMO = False
    assert not identify({"HTTP_ADMIN": "true"}, callee="catalog").is_admin
