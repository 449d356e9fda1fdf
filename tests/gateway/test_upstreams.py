"""Several addresses of a service: one that is away, one that moves."""

import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.gateway.conftest import Gateway, GatewayWith
from tests.gateway.echo import Echo
from tests.gateway.names import NAME, NameServer

DEAD = "127.0.0.1:9"  # refuses every connection
STREAM = "/user-api/users/me/notifications/stream"


@pytest.fixture
def pair() -> Iterator[tuple[Echo, Echo]]:
    with Echo("one") as one, Echo("two") as two:
        yield one, two


def addresses(*services: Echo | str) -> str:
    return ",".join(each if isinstance(each, str) else each.address for each in services)


def statuses(gateway: Gateway, method: str, *, count: int) -> Counter[int]:
    return Counter(gateway.ask(method, "/api/products/").status for _ in range(count))


@contextmanager
def silence() -> Iterator[str]:
    """The address of a machine that is gone: it neither takes a connection nor refuses it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        full = []
        for _ in range(3):
            client = socket.socket()
            client.settimeout(0)
            client.connect_ex(server.getsockname())
            full.append(client)
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for client in full:
            client.close()


def test_requests_are_spread_over_the_addresses(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo]
) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(*pair))

    assert statuses(gateway, "GET", count=20) == {200: 20}

    assert min(sum(service.arrivals.values()) for service in pair) >= 5


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH"])
def test_what_was_never_sent_goes_to_another_address(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo], method: str
) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(pair[0], DEAD))

    assert statuses(gateway, method, count=20) == {200: 20}
    assert pair[0].arrivals["/products/"] == 20


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_says_nothing_costs_a_second(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo], method: str
) -> None:
    with silence() as gone:
        gateway = gateway_with(CATALOG_ADDRESS=addresses(gone, pair[0]), GATEWAY_TIMEOUT="4s")

        assert statuses(gateway, method, count=4) == {200: 4}
    assert pair[0].arrivals["/products/"] == 4


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_address_that_fails_is_left_alone(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo], method: str
) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(pair[0], DEAD))

    assert statuses(gateway, method, count=20)[502] <= 3
    assert statuses(gateway, method, count=20) == {200: 20}


def test_an_address_that_was_left_alone_is_tried_again(gateway_with: GatewayWith) -> None:
    with Echo("one") as one, Echo("two") as two:
        port = two.server_port
        gateway = gateway_with(CATALOG_ADDRESS=addresses(one, two))
        two.__exit__(None, None, None)
        assert statuses(gateway, "GET", count=20) == {200: 20}

        with Echo("two again", port=port) as again:
            deadline = time.monotonic() + 10
            while not again.arrivals:
                assert time.monotonic() < deadline
                assert statuses(gateway, "GET", count=1) == {200: 1}
                time.sleep(0.1)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_may_have_happened_goes_to_no_other_address(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo], method: str
) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(*pair))

    for number in range(6):
        assert gateway.ask(method, f"/api/break?{number}").status == 502
        arrived = sum(service.arrivals[f"/break?{number}"] for service in pair)
        assert arrived <= 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_does_not_come_is_not_asked_for_twice(
    gateway_with: GatewayWith, pair: tuple[Echo, Echo], method: str
) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(*pair))

    assert gateway.ask(method, "/api/slow").status == 504

    assert sum(service.arrivals["/slow"] for service in pair) == 1


def test_a_service_with_no_address_left_is_a_502(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(CATALOG_ADDRESS=addresses(DEAD, "127.0.0.1:10"))

    answers = [gateway.ask("GET", "/api/products/") for _ in range(10)]

    assert {(answer.status, answer.json["code"]) for answer in answers} == {(502, "bad_gateway")}


def follows_names(nginx: str) -> bool:
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    version = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told)
    assert version
    return tuple(map(int, version.groups())) >= (1, 27, 3)


@pytest.fixture
def names(nginx: str) -> Iterator[NameServer]:
    if not follows_names(nginx):
        pytest.skip(
            "this nginx takes the addresses of names at its start only; 1.27.3 follows them"
        )
    with NameServer() as server:
        yield server


def wait_for(gateway: Gateway, service: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        answer = gateway.ask("GET", "/api/products/")
        if answer.status == 200 and answer.json["service"] == service:
            return
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


def test_a_service_is_found_where_it_moved(names: NameServer, gateway_with: GatewayWith) -> None:
    with Echo("before", host="127.0.0.2") as before:
        port = before.server_port
        gateway = gateway_with(CATALOG_ADDRESS=f"{NAME}:{port}", GATEWAY_RESOLVER=names.place)
        assert gateway.ask("GET", "/api/products/").status == 502  # nobody knows the name yet
        names.address = "127.0.0.2"
        wait_for(gateway, "before")

    with Echo("after", host="127.0.0.3", port=port):
        names.address = "127.0.0.3"
        wait_for(gateway, "after")
        assert statuses(gateway, "PUT", count=5) == {200: 5}


def test_a_name_server_that_is_away_changes_nothing(
    names: NameServer, gateway_with: GatewayWith
) -> None:
    with Echo("here", host="127.0.0.2") as here:
        names.address = "127.0.0.2"
        gateway = gateway_with(
            CATALOG_ADDRESS=addresses_of_name(here), GATEWAY_RESOLVER=names.place
        )
        wait_for(gateway, "here")

        names.address = ""
        time.sleep(0.1)

        assert statuses(gateway, "GET", count=5) == {200: 5}


def addresses_of_name(service: Echo) -> str:
    return f"{NAME}:{service.server_port}"
