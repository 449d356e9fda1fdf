"""Two containers of each service on Cassandra: the shop goes on when one of each is killed."""

import json
import os
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from deploy.containers.engine import Engine
from deploy.containers.several import CONTAINERS
from tests.deploy.boxes import MARKS, cannot, door, has_image, podman, shop_in_containers
from tests.deploy.compose import OURS
from tests.deploy.test_containers import tour

pytestmark = MARKS
SETTINGS = {"CASSANDRA_HOST": "cassandra", "STORE": "cassandra", "INSTANCES": "2"}


@pytest.fixture(scope="module")
def shop(images: None) -> Iterator[Engine]:
    if not has_image("CASSANDRA_IMAGE"):
        cannot("there is no stand-in for CASSANDRA_IMAGE: see stand_in.sh")
    settings = SETTINGS | {"COMPOSE_PROFILES": "cassandra"}
    with shop_in_containers("cassandra", *OURS, **settings) as compose:
        yield compose


def test_there_are_two_of_each_and_each_knows_both(shop: Engine):
    for service in CONTAINERS.values():
        for container in shop.containers(service):
            told = podman(shop, "exec", container, "printenv", "BACKEND_URL").stdout
            assert len(told.split(",")) == 2
        assert len(shop.containers(service)) == 2


def test_the_tour_runs_while_one_of_each_is_being_killed(shop: Engine):
    assert '"CANCELLED"' in tour(shop)

    for service in ("cart-service", "order-service"):
        os.kill(process(shop, shop.containers(service)[0]), 9)

    assert '"CANCELLED"' in tour(shop)


def test_what_one_instance_was_told_the_other_knows(shop: Engine):
    """Ten times in a row, so that neither is asked by chance alone."""
    form = b"username=swagger_user&password=password123"
    token = json.load(urlopen(f"{door(shop)}/user-api/token", form))["access_token"]
    asked = Request(f"{door(shop)}/user-api/users/me", headers={"Authorization": f"Bearer {token}"})

    assert [json.load(urlopen(asked))["username"] for _ in range(10)] == ["swagger_user"] * 10


def process(compose: Engine, container: str) -> int:
    """As this machine counts it."""
    return int(podman(compose, "inspect", "--format", "{{.State.Pid}}", container).stdout)
