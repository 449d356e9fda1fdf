"""What Prometheus is given: valid, and the same for the containers and for a local shop."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.local.layout import PORTS, PROJECT, SERVICES, Layout
from deploy.prometheus.local import lay_out
from tests.observing.documents import PROMETHEUS
from tests.observing.server import promtool


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(ports=PORTS, run=tmp_path)


def test_promtool_finds_nothing_wrong_with_the_shipped_configuration() -> None:
    checked = promtool("check", "config", "--lint-fatal", PROMETHEUS / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_promtool_finds_nothing_wrong_with_what_a_local_shop_gets(layout: Layout) -> None:
    checked = promtool("check", "config", lay_out(layout, every="5s") / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_containers_are_asked_by_the_names_and_ports_of_the_contract() -> None:
    found = yaml.safe_load((PROMETHEUS / "targets" / "shop.yml").read_text())

    assert {each["labels"]["service"]: each["targets"] for each in found} == {
        "catalog": ["backend:8000"],
        "carts": ["cart-service:8001"],
        "orders": ["order-service:8002"],
        "accounts": ["user-service:8003"],
    }


def test_a_local_shop_is_asked_at_its_own_ports_and_by_the_same_rules(tmp_path: Path) -> None:
    ports = {name: 21000 + number for number, name in enumerate(PORTS)}

    folder = lay_out(Layout(ports=ports, run=tmp_path), every="5s")

    found = yaml.safe_load((folder / "targets" / "shop.yml").read_text())
    assert [each["targets"] for each in found] == [
        [f"127.0.0.1:{ports[name]}"] for name in SERVICES
    ]
    shipped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    laid_out = yaml.safe_load((folder / "prometheus.yml").read_text())
    assert laid_out["global"] == {"scrape_interval": "5s", "evaluation_interval": "5s"}
    assert laid_out["scrape_configs"] == shipped["scrape_configs"]
    for rules in (PROMETHEUS / "rules").iterdir():
        assert (folder / "rules" / rules.name).read_text() == rules.read_text()


def test_without_prometheus_the_command_says_what_to_install(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.prometheus"],
        cwd=PROJECT,
        env={"PATH": str(tmp_path), "RUN_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "apt-get install prometheus" in ended.stderr
    assert "Traceback" not in ended.stderr
