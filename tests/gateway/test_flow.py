"""Requests over time: repeated or not, finished or dropped, passed on as they come."""

import socket
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.echo import Echo

TRIES = 12
STREAM = "/user-api/users/me/notifications/stream"
ServiceNamed = Callable[[str], Echo]


def arrivals_of_broken(gateway: Gateway, method: str, target: str) -> list[int]:
    """How often each of some requests came to a service that broke every connection."""
    for number in range(TRIES):
        gateway.ask("GET", "/order-api/")  # leaves an open connection to be used again
        answer = gateway.ask(method, f"/order-api{target}&number={number}")
        assert answer.status == 502
    arrivals = gateway.services["orders"].arrivals
    return [arrivals[f"{target}&number={number}"] for number in range(TRIES)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_may_have_happened_is_never_sent_again(gateway: Gateway, method: str) -> None:
    arrivals = arrivals_of_broken(gateway, method, f"/break?method={method}")

    assert arrivals == [1] * TRIES


def test_reading_is_tried_again_on_a_fresh_connection(gateway: Gateway) -> None:
    arrivals = arrivals_of_broken(gateway, "GET", "/break?method=GET")

    assert 2 in arrivals


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_client_that_hangs_up_changes_nothing(
    gateway: Gateway, service_named: ServiceNamed, method: str
) -> None:
    carts = service_named("carts")

    client = socket.create_connection(("127.0.0.1", gateway.port))
    client.sendall(f"{method} /cart-api/finish HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    client.close()

    assert carts.finished.wait(3)
    assert not carts.hung_up.is_set()


def test_events_arrive_one_by_one(gateway: Gateway, service_named: ServiceNamed) -> None:
    accounts = service_named("accounts")
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("GET", STREAM, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()

    first = answer.read1()
    accounts.goes_on.set()
    rest = answer.read()
    connection.close()

    assert first == b"data: first\n\n"
    assert rest.startswith(b"data: {")
    assert len(answer.headers.get_all("X-Request-ID", [])) == 1


def test_a_stream_ends_with_its_client(gateway: Gateway, service_named: ServiceNamed) -> None:
    accounts = service_named("accounts")
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("GET", STREAM)
    answer = connection.getresponse()
    answer.read1()

    answer.close()
    connection.close()

    assert accounts.hung_up.wait(3)
