"""The shop in containers for a test, with podman and stand-in images."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from deploy.cassandra.java import jars as cassandra_jars
from deploy.containers.__main__ import SECONDS_TO_START
from deploy.containers.engine import OWN_COMPOSE, Engine, engine
from deploy.containers.several import CONTAINERS
from deploy.local.layout import PREFIXES, CannotStart
from deploy.local.ports import free_ports
from deploy.local.readiness import answers
from tests.deploy.compose import OURS

HERE = Path(__file__).parent
NEEDED = ("podman", "runc", "debootstrap")
MISSING = [name for name in NEEDED if not shutil.which(name)]
IS_REQUIRED = bool(os.environ.get("REQUIRE_CONTAINERS"))
STAND_INS = {
    "PYTHON_IMAGE": "localhost/python:3.11-slim",
    "NGINX_IMAGE": "localhost/nginx:stand-in",
    "PROMETHEUS_IMAGE": "localhost/prometheus:stand-in",
    "CASSANDRA_IMAGE": "localhost/cassandra:stand-in",
}
MARKS = [pytest.mark.containers, pytest.mark.timeout(1200)]  # the images may have to be built first


def environment(**settings: str) -> dict[str, str]:
    """A project of its own on a free port: demo mode, the catalogue in memory."""
    own_way = {} if Path("/run/systemd/system").exists() else _without_systemd()
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **own_way,
        **STAND_INS,
        "COMPOSE": OWN_COMPOSE,
        "COMPOSE_PROJECT_NAME": f"trial-{secrets.token_hex(3)}",
        "IMAGE_PREFIX": "localhost/product-store-trial",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(48),
        "GATEWAY_PORT": str(free_ports(1)[0]),
        "CASSANDRA_HOST": "",
        "DEMO": "1",
        **settings,
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


def has_image(setting: str) -> bool:
    return not podman(engine(environment()), "image", "exists", STAND_INS[setting]).returncode


def cannot(reason: str) -> NoReturn:
    """Skips what this machine cannot run, or fails where it was to be run by all means."""
    if IS_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def build() -> None:
    """The four images, on stand-ins that are made where they are missing."""
    if MISSING:
        cannot(f"not installed: {', '.join(MISSING)}")
    if os.getuid() != 0:
        cannot("the stand-in images are made as root")
    compose = engine(environment())
    if not all(has_image(name) for name in STAND_INS):
        _make_stand_ins(compose)
    tried = podman(compose, "run", "--rm", STAND_INS["PYTHON_IMAGE"], "true")
    if tried.returncode:
        cannot(f"podman runs no container here: {tried.stderr.strip()[-500:]}")
    assert compose.run("build") == 0


def _make_stand_ins(compose: Engine) -> None:
    with suppress(CannotStart):  # without Java or Maven only Cassandra has no stand-in
        cassandra_jars()
    made = subprocess.run(
        [HERE / "stand_in.sh"],
        env=dict(compose.environment),
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        said = (made.stdout + made.stderr).strip()[-500:]
        cannot(f"no stand-in images can be made here: {said}")


@contextmanager
def shop_in_containers(*names: str, **settings: str) -> Iterator[Engine]:
    """Open when given, gone with its volumes afterwards; ``names``: these services only."""
    compose = engine(environment(**settings))
    try:
        assert compose.run("up", "--detach", *names) == 0
        wait_until_open(compose)
        yield compose
    finally:
        compose.run("down", "--volumes")


def door(compose: Engine) -> str:
    return f"http://127.0.0.1:{compose.environment['GATEWAY_PORT']}"


def main_process(compose: Engine, name: str) -> int:
    """As this machine counts it; 0 while there is none."""
    words = ("inspect", "--format", "{{.State.Pid}}", compose.container(name))
    said = podman(compose, *words).stdout.strip()
    return int(said) if said.isdigit() else 0


def is_open(compose: Engine) -> bool:
    port = int(compose.environment["GATEWAY_PORT"])
    return all(answers(port, f"{PREFIXES[name]}/ready") for name in CONTAINERS)


def wait_until_open(compose: Engine, *, seconds: float = SECONDS_TO_START) -> None:
    deadline = time.monotonic() + seconds
    while not is_open(compose):
        words = "\n".join(compose.last_words(name) for name in OURS)
        assert time.monotonic() < deadline, words
        time.sleep(0.5)
