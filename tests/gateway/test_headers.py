"""What a service is told about a request, and what a client can not make it believe."""

import json
from collections.abc import Callable

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.echo import Echo

LOCATIONS = [
    ("GET", "/api/products/", "/api"),
    ("PUT", "/api/products/x", "/api"),
    ("GET", "/cart-api/cart/", "/cart-api"),
    ("DELETE", "/cart-api/cart/", "/cart-api"),
    ("GET", "/order-api/orders/", "/order-api"),
    ("PUT", "/order-api/orders/x/cancel", "/order-api"),
    ("POST", "/user-api/token", "/user-api"),
    ("PUT", "/user-api/users/me", "/user-api"),
]
LIES = {
    "X-User-ID": "alice",
    "X_User_ID": "alice",
    "x-user-id": "bob",
    "X-Client-Address": "6.6.6.6",
    "X_Client_Address": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "CF-Connecting-IP": "6.6.6.6",
    "True-Client-IP": "6.6.6.6",
    "X-Client-IP": "6.6.6.6",
    "X-Cluster-Client-IP": "6.6.6.6",
    "X-Forwarded": "for=6.6.6.6",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Server": "evil",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-User": "alice",
    "X-HTTP-Method-Override": "DELETE",
    "X-Original-Host": "evil",
    "X-Original-URL": "/metrics",
    "X-Rewrite-URL": "/metrics",
    "X-Script-Name": "/evil",
    "Proxy": "http://evil/",
}
OVERWRITTEN = {
    "X-Forwarded-For": "6.6.6.6, 7.7.7.7",
    "X_Forwarded_For": "6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "X-Forwarded-Host": "evil",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
}


def raw(method: str, target: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


@pytest.mark.parametrize(("method", "target", "prefix"), LOCATIONS)
def test_lies_about_who_is_calling_are_taken_out(
    gateway: Gateway, method: str, target: str, prefix: str
) -> None:
    lies = [*LIES.items(), *OVERWRITTEN.items(), *OVERWRITTEN.items()]

    text = gateway.say(raw(method, target, [("Host", "shop.test:8080"), *lies])).lower()

    for value in (b"6.6.6.6", b"7.7.7.7", b"alice", b"bob", b"evil"):
        assert value not in text
    for name in LIES:
        assert f'["{name.lower()}"'.encode() not in text


@pytest.mark.parametrize(("method", "target", "prefix"), LOCATIONS)
def test_the_gateway_says_who_and_where(
    gateway: Gateway, method: str, target: str, prefix: str
) -> None:
    answer = gateway.ask(method, target, headers={"Host": "shop.test:8080", **OVERWRITTEN})

    said = {
        "Host": "shop.test:8080",
        "X-Real-IP": "127.0.0.1",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "shop.test:8080",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": prefix,
        "Connection": None,
    }
    for name, value in said.items():
        assert answer.seen(name) == ([] if value is None else [value]), name


@pytest.mark.parametrize(("method", "target", "prefix"), LOCATIONS)
def test_what_a_client_may_say_passes(
    gateway: Gateway, method: str, target: str, prefix: str
) -> None:
    said = {
        "admin": "true",
        "Authorization": "Bearer token",
        "Idempotency-Key": "key",
        "Accept-Language": "en",
        "Cookie": "a=b",
        "Origin": "http://elsewhere",
    }

    answer = gateway.ask(method, target, headers=said)

    for name, value in said.items():
        assert answer.seen(name) == [value], name


def test_the_stream_of_notifications_is_no_exception(
    gateway: Gateway, service_named: Callable[[str], Echo]
) -> None:
    service_named("accounts").goes_on.set()
    target = "/user-api/users/me/notifications/stream"

    answer = gateway.ask("GET", target, headers={"admin": "true", **LIES, **OVERWRITTEN})

    headers = dict(json.loads(answer.body.splitlines()[2].removeprefix(b"data: "))["headers"])
    assert not LIES.keys() & headers.keys()
    assert headers["X-Forwarded-For"] == headers["X-Real-IP"] == "127.0.0.1"
    assert headers["X-Forwarded-Prefix"] == "/user-api"
    assert headers["admin"] == "true"
    assert headers["X-Request-ID"] == answer.header("X-Request-ID")


@pytest.mark.parametrize("given", ["12345678", "a" * 64, "6f1c0c5e-1111-4000-8000-0123456789ab"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_wellformed_request_id_is_kept(gateway: Gateway, method: str, given: str) -> None:
    answer = gateway.ask(method, "/api/products/", headers={"X-Request-ID": given})

    assert answer.seen("X-Request-ID") == [given]
    assert answer.all("X-Request-ID") == [given]


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "a b c d e f", "12345678;drop", "é" * 9])
def test_any_other_is_replaced(gateway: Gateway, given: str) -> None:
    answer = gateway.ask("GET", "/api/products/", headers={"X-Request-ID": given})

    (made,) = answer.all("X-Request-ID")
    assert answer.seen("X-Request-ID") == [made]
    assert len(made) == 32


def test_every_request_gets_an_id_of_its_own(gateway: Gateway) -> None:
    made = {gateway.ask("GET", "/api/").header("X-Request-ID") for _ in range(5)}

    assert len(made) == 5


def test_nothing_says_which_version_runs(gateway: Gateway) -> None:
    for target in ("/", "/api/", "/api/metrics"):
        assert gateway.ask("GET", target).header("Server") == "nginx"


@pytest.mark.parametrize("target", ["/", "/nowhere", "/api/metrics"])
def test_the_gateways_own_answers_say_that_this_is_a_demo(gateway: Gateway, target: str) -> None:
    assert gateway.ask("GET", target).all("X-Store-Demo") == ["1"]


def test_json_is_packed_for_those_who_can_unpack_it(gateway: Gateway) -> None:
    packed = gateway.ask("GET", "/api/products/", headers={"Accept-Encoding": "gzip"})
    plain = gateway.ask("GET", "/api/products/")

    assert packed.header("Content-Encoding") == "gzip"
    assert len(packed.body) < len(plain.body) / 2
    assert plain.header("Content-Encoding") is None
    assert plain.header("Vary") == "Accept-Encoding"
