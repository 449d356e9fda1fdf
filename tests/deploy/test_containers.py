"""The images are built and the shop runs in containers: what it may, says, and survives."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest

from deploy.containers.engine import Engine
from deploy.containers.several import CONTAINERS
from deploy.local.layout import PROJECT
from tests.deploy.boxes import (
    MARKS,
    door,
    main_process,
    podman,
    shop_in_containers,
    wait_until_open,
)
from tests.deploy.compose import OURS, SERVICES
from tests.journeys.test_readme import TOUR

pytestmark = MARKS


@pytest.fixture(scope="module")
def shop(images: None) -> Iterator[Engine]:
    with shop_in_containers() as compose:
        yield compose


def tour(compose: Engine) -> str:
    """What the README's tour says through the published port."""
    blocks = TOUR.findall((PROJECT / "README.md").read_text())
    script = "\n".join(blocks).replace("http://localhost:8080", door(compose))
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], check=False, capture_output=True, text=True
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    return shell.stdout


def test_the_tour_runs_through_the_published_port(shop: Engine):
    assert '"CANCELLED"' in tour(shop)


@pytest.mark.parametrize("name", SERVICES)
def test_inside_there_is_no_root_and_nothing_to_write_on(shop: Engine, name: str):
    script = (
        "id -u; grep -E 'CapEff|NoNewPrivs' /proc/1/status; touch /srv/app/x; touch /srv/data/x"
    )

    inside = podman(shop, "exec", shop.container(name), "sh", "-c", script)

    assert inside.returncode == 0, inside.stderr  # the last word: its volume can be written on
    assert re.findall(r"\w+", inside.stdout) == ["10001", "CapEff", "0" * 16, "NoNewPrivs", "1"]
    assert "Read-only file system" in inside.stderr


@pytest.mark.parametrize("app", CONTAINERS)
def test_an_image_has_the_code_of_one_app(shop: Engine, app: str):
    listed = podman(shop, "exec", shop.container(CONTAINERS[app]), "ls", "/srv/app")

    assert {word for word in listed.stdout.split() if word in CONTAINERS} == {app}


@pytest.mark.parametrize("name", OURS)
def test_the_health_check_says_yes(shop: Engine, name: str):
    check = podman(shop, "healthcheck", "run", shop.container(name))

    assert check.returncode == 0, check.stdout + check.stderr


def test_the_services_believe_the_gateway_about_its_clients(shop: Engine):
    words = ("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}")
    gateway = podman(shop, *words, shop.container("gateway")).stdout.split()
    said = podman(shop, "exec", shop.container("user-service"), "printenv", "TRUSTED_PROXIES")

    trusted = [ip_network(each) for each in said.stdout.strip().split(",")]

    assert gateway
    assert all(any(ip_address(each) in network for network in trusted) for each in gateway)


def test_a_container_that_was_killed_comes_back(shop: Engine):
    pid = main_process(shop, "order-service")

    os.kill(pid, 9)

    wait_until_open(shop)
    container = shop.container("order-service")
    restarts = podman(shop, "inspect", "--format", "{{.RestartCount}}", container)
    assert main_process(shop, "order-service") != pid
    assert restarts.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((), "SECRET_KEY is not set. Make one:"),
        (("SECRET_KEY=short",), "SECRET_KEY is shorter than 32 bytes."),
        (("SECRET_KEY=" + "k" * 32, "ORDER_RETENTION=long"), "ORDER_RETENTION is a number"),
        (("SECRET_KEY=" + "k" * 32, "WEB_CONCURRENCY=2"), "WEB_CONCURRENCY is 2, but orders"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_status_3(
    shop: Engine, settings: tuple[str, ...], sentence: str
):
    words = [word for each in settings for word in ("--env", each)]
    image = f"{shop.environment['IMAGE_PREFIX']}/orders:latest"

    ended = podman(shop, "run", "--rm", "--read-only", *words, image)

    assert ended.returncode == 3
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", OURS)
def test_a_container_that_is_told_to_stop_ends_well_within_its_time(shop: Engine, name: str):
    container = shop.container(name)
    began_at = time.monotonic()

    podman(shop, "stop", "--time", "25", container)

    state = podman(shop, "inspect", "--format", "{{.State.ExitCode}}", container)
    assert time.monotonic() - began_at < 25
    assert state.stdout.strip() == "0"
