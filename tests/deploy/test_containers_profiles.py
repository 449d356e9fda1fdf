"""The compose file's profiles: the catalogue on Cassandra, and a Prometheus that watches."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.containers.engine import Engine
from deploy.local.layout import PROJECT
from deploy.local.layout import SERVICES as APPS
from tests.deploy.boxes import (
    MARKS,
    cannot,
    door,
    has_image,
    main_process,
    podman,
    shop_in_containers,
    wait_until_open,
)
from tests.deploy.compose import OURS
from tests.deploy.test_containers import tour
from tests.journeys.buyers import Buyer

pytestmark = MARKS

CORE = ("cassandra", *OURS)  # Grafana has no stand-in, and Prometheus comes later
RULES = sorted((PROJECT / "deploy" / "prometheus" / "rules").glob("*.yml"))


@pytest.fixture(scope="module")
def shop(images: None) -> Iterator[Engine]:
    settings = {"CASSANDRA_HOST": "cassandra", "COMPOSE_PROFILES": "cassandra,observability"}
    for setting in ("CASSANDRA_IMAGE", "PROMETHEUS_IMAGE"):
        if not has_image(setting):
            cannot(f"there is no stand-in for {setting}: see stand_in.sh")
    with shop_in_containers(*CORE, **settings) as compose:
        yield compose


def test_the_tour_runs_on_cassandra(shop: Engine):
    assert '"CANCELLED"' in tour(shop)


def test_cassandra_runs_without_root(shop: Engine):
    status = Path(f"/proc/{main_process(shop, 'cassandra')}/status").read_text()

    lines = dict(line.split(":", 1) for line in status.splitlines())

    assert lines["Uid"].split()[0] == "999"
    assert int(lines["CapEff"], 16) == 0


async def test_a_product_outlives_a_kill_of_cassandra_and_a_start_in_another_order(shop: Engine):
    async with httpx.AsyncClient(base_url=door(shop), timeout=30) as client:
        admin = await Buyer.logged_in(client, "swagger_admin", "admin123")
        product = await admin.new_product(stock=7)

        os.kill(main_process(shop, "cassandra"), 9)
        assert shop.run("down") == 0
        assert shop.run("up", "--detach", "--no-deps", *reversed(OURS)) == 0
        await asyncio.to_thread(wait_for_status, f"{door(shop)}/api/ready", 503)
        assert (await client.get("/health")).status_code == 200
        assert shop.run("up", "--detach", "--no-deps", "cassandra") == 0
        await asyncio.to_thread(wait_until_open, shop)

        assert await admin.stock(product) == 7


def test_prometheus_scrapes_the_four_services_and_has_the_rules(shop: Engine):
    assert shop.run("up", "--detach", "--no-deps", "prometheus") == 0
    deadline = time.monotonic() + 60
    while health(shop) != dict.fromkeys(APPS, "up"):
        assert time.monotonic() < deadline, health(shop)
        time.sleep(1)

    groups = prometheus(shop, "rules")["groups"]

    written = [yaml.safe_load(path.read_text())["groups"] for path in RULES]
    assert {each["name"] for each in groups} == {each["name"] for one in written for each in one}
    assert all(rule["health"] == "ok" for each in groups for rule in each["rules"])


def health(compose: Engine) -> dict[str, str]:
    targets = prometheus(compose, "targets").get("activeTargets", [])
    return {each["labels"]["service"]: each["health"] for each in targets}


def prometheus(compose: Engine, what: str) -> dict[str, Any]:
    """What it answers to a question from inside, as docs/deploy.md does; empty without one."""
    container, url = compose.container("prometheus"), f"http://localhost:9090/api/v1/{what}"
    said = podman(compose, "exec", container, "wget", "-qO-", url).stdout
    return dict(json.loads(said)["data"]) if said else {}


def wait_for_status(url: str, status: int) -> None:
    deadline = time.monotonic() + 60
    while (said := seen(url)) != status:
        assert time.monotonic() < deadline, said
        time.sleep(0.5)


def seen(url: str) -> int:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0
