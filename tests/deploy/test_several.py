"""When there may be several containers of a service, and where the others find them."""

import re

import pytest

from deploy.containers.several import CONTAINERS, PORTS, addresses, instances, needs_tables
from deploy.local.layout import CannotStart
from tests.deploy.compose import FILE, SERVICES

TWO = {"INSTANCES": "2", "STORE": "cassandra", "CASSANDRA_HOST": "cassandra"}


def test_names_and_ports_are_those_of_the_compose_file():
    assert {CONTAINERS[app]: PORTS[app] for app in CONTAINERS} == SERVICES


def test_one_of_each_needs_nothing():
    assert instances({}) == 1
    assert addresses({"INSTANCES": "1"}, "podman") == {}
    assert not needs_tables({"CASSANDRA_HOST": "10.0.0.1", "STORE": "cassandra"})


@pytest.mark.parametrize(
    ("binary", "names"),
    [
        ("podman", "http://product-store_backend_1:8000,http://product-store_backend_2:8000"),
        ("docker", "http://product-store-backend-1:8000,http://product-store-backend-2:8000"),
    ],
)
def test_several_are_named_as_the_engine_names_containers(binary: str, names: str):
    told = addresses(TWO, binary)

    assert told["BACKEND_URLS"] == names
    assert set(told) == set(re.findall(r"_URL: \$\{(\w+_URLS):-", FILE.read_text()))


def test_a_project_of_another_name_has_containers_of_another_name():
    told = addresses(TWO | {"COMPOSE_PROJECT_NAME": "second"}, "docker")

    assert told["CART_SERVICE_URLS"].startswith("http://second-cart-service-1:8001,")


@pytest.mark.parametrize("store", ["", "memory"])
def test_several_in_memory_would_be_several_shops(store: str):
    with pytest.raises(CannotStart, match="INSTANCES=3 needs STORE=cassandra"):
        instances({"INSTANCES": "3", "STORE": store})


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "²"])
def test_what_is_no_number_of_containers_is_named(number: str):
    with pytest.raises(CannotStart, match=f"INSTANCES is '{re.escape(number)}'"):
        instances(TWO | {"INSTANCES": number})


def test_only_a_ring_of_several_nodes_needs_its_tables_beforehand():
    assert not needs_tables(TWO)
    assert needs_tables(TWO | {"CASSANDRA_HOST": "10.0.0.1,10.0.0.2"})
