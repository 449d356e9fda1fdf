"""The images are built and the shop runs in containers, with podman and stand-in base images."""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.containers.__main__ import CONTAINERS
from deploy.containers.engine import Engine, engine
from deploy.local.layout import PREFIXES, PROJECT
from deploy.local.ports import free_ports
from deploy.local.readiness import answers
from tests.deploy.compose import OURS, SERVICES
from tests.journeys.test_readme import TOUR

HERE = Path(__file__).parent
NEEDED = ("podman", "podman-compose", "runc", "debootstrap")
MISSING = [name for name in NEEDED if not shutil.which(name)]
IS_REQUIRED = bool(os.environ.get("REQUIRE_CONTAINERS"))
STAND_INS = ("localhost/python:3.11-slim", "localhost/nginx:stand-in")

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        bool(MISSING) and not IS_REQUIRED, reason=f"not installed: {', '.join(MISSING)}"
    ),
    pytest.mark.skipif(
        os.getuid() != 0 and not IS_REQUIRED, reason="the stand-in images are made as root"
    ),
]


def environment() -> dict[str, str]:
    own_way = {} if Path("/run/systemd/system").exists() else _without_systemd()
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **own_way,
        "COMPOSE": "podman-compose",
        "COMPOSE_PROJECT_NAME": f"trial-{secrets.token_hex(3)}",
        "IMAGE_PREFIX": "localhost/product-store-trial",
        "PYTHON_IMAGE": STAND_INS[0],
        "NGINX_IMAGE": STAND_INS[1],
        "SECRET_KEY": secrets.token_urlsafe(48),
        "GATEWAY_PORT": str(free_ports(1)[0]),
        "CASSANDRA_HOST": "",
        "DEMO": "1",
    }


def _without_systemd() -> dict[str, str]:
    return {"CONTAINERS_CONF": str(HERE / "containers.conf"), "BUILDAH_ISOLATION": "chroot"}


def podman(compose: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["podman", *words],
        env=dict(compose.environment),
        check=False,
        capture_output=True,
        text=True,
    )


def wait_until_open(compose: Engine, *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    port = int(compose.environment["GATEWAY_PORT"])
    while not all(answers(port, f"{PREFIXES[name]}/ready") for name in CONTAINERS):
        words = "\n".join(compose.last_words(name) for name in OURS)
        assert time.monotonic() < deadline, words
        time.sleep(0.5)


@pytest.fixture(scope="module")
def shop() -> Iterator[Engine]:
    compose = engine(environment())
    if any(podman(compose, "image", "exists", name).returncode for name in STAND_INS):
        subprocess.run([HERE / "stand_in.sh"], env=dict(compose.environment), check=True)
    assert compose.run("build") == 0
    try:
        assert compose.run("up", "--detach") == 0
        wait_until_open(compose)
        yield compose
    finally:
        compose.run("down", "--volumes")


def test_the_tour_runs_through_the_published_port(shop: Engine):
    door = f"http://127.0.0.1:{shop.environment['GATEWAY_PORT']}"
    blocks = TOUR.findall((PROJECT / "README.md").read_text())
    script = "\n".join(blocks).replace("http://localhost:8080", door)

    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], check=False, capture_output=True, text=True
    )

    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert '"CANCELLED"' in shell.stdout


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


@pytest.mark.parametrize("name", SERVICES)
def test_the_health_check_says_yes(shop: Engine, name: str):
    check = podman(shop, "healthcheck", "run", shop.container(name))

    assert check.returncode == 0, check.stdout + check.stderr


def test_a_container_that_was_killed_comes_back(shop: Engine):
    container = shop.container("order-service")
    pid = podman(shop, "inspect", "--format", "{{.State.Pid}}", container).stdout.strip()

    os.kill(int(pid), 9)

    wait_until_open(shop)
    inspected = podman(shop, "inspect", "--format", "{{.State.Pid}} {{.RestartCount}}", container)
    assert inspected.stdout.split()[0] != pid
    assert inspected.stdout.split()[1] == "1"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((), "SECRET_KEY is not set. Make one:"),
        (("SECRET_KEY=short",), "SECRET_KEY is shorter than 32 bytes."),
        (("SECRET_KEY=" + "k" * 32, "ORDER_RETENTION=long"), "ORDER_RETENTION is a number"),
        (("SECRET_KEY=" + "k" * 32, "WEB_CONCURRENCY=2"), "WEB_CONCURRENCY is 2, but orders"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_status_4(
    shop: Engine, settings: tuple[str, ...], sentence: str
):
    words = [word for each in settings for word in ("--env", each)]
    image = f"{shop.environment['IMAGE_PREFIX']}/orders:latest"

    ended = podman(shop, "run", "--rm", "--read-only", *words, image)

    assert ended.returncode == 4
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
