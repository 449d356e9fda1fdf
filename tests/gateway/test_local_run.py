"""What `make run` does before and around the services."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local import gateway
from deploy.local.layout import (
    PORTS,
    PREFIXES,
    PROJECT,
    CannotStart,
    Layout,
    layout_from,
    service_environment,
)
from deploy.local.ports import check_ports, free_ports
from deploy.local.processes import configuration
from deploy.local.readiness import answers
from deploy.local.secret import secret_key
from deploy.local.trial import shop_on_trial


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    layout = Layout(ports=ports, run=tmp_path / "100% run")
    layout.make_folders()
    return layout


def start(layout: Layout, settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    ports = {f"{name.upper()}_PORT": str(port) for name, port in layout.ports.items()}
    environment = dict(os.environ) | ports | {"RUN_DIR": str(layout.run)} | dict(settings)
    return subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_taken_port_is_named_before_anything_starts(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", layout.ports["orders"])):
        ended = start(layout, {})

    assert ended.returncode == 1
    assert f"Port {layout.ports['orders']} is taken (orders)" in ended.stderr
    assert "ORDERS_PORT=" in ended.stderr
    assert not (layout.run / "supervisord.conf").exists()


def test_every_taken_port_is_named(layout: Layout) -> None:
    with (
        socket.create_server(("127.0.0.1", layout.ports["carts"])),
        socket.create_server(("127.0.0.1", layout.ports["gateway"])),
        pytest.raises(CannotStart) as problem,
    ):
        check_ports(layout)

    assert "(carts)" in str(problem.value)
    assert "(gateway)" in str(problem.value)


def test_free_ports_are_fine(layout: Layout) -> None:
    check_ports(layout)


def test_one_port_for_two_is_refused(layout: Layout) -> None:
    shared = {**layout.ports, "carts": layout.ports["orders"]}

    with pytest.raises(CannotStart, match="carts and orders"):
        check_ports(Layout(ports=shared, run=layout.run))


@pytest.mark.parametrize("port", ["80a", "0", "65536", "-1", "٨"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CannotStart, match="GATEWAY_PORT"):
        layout_from({"GATEWAY_PORT": port})


def test_a_gateway_that_can_not_be_had_is_said_in_a_sentence(layout: Layout) -> None:
    ended = start(layout, {"GATEWAY_NGINX": "/bin/false"})

    assert ended.returncode == 1
    assert ended.stderr.startswith("/bin/false refuses the gateway's configuration")
    assert "Traceback" not in ended.stderr


def test_a_setting_the_gateway_can_not_take_is_said_in_a_sentence(layout: Layout) -> None:
    ended = start(layout, {"GATEWAY_TRUSTED_PROXIES": "everybody"})

    assert ended.returncode == 1
    assert ended.stderr.startswith("GATEWAY_TRUSTED_PROXIES is 'everybody'")
    assert "Traceback" not in ended.stderr


def test_the_gateways_limits_can_be_set_but_its_place_is_the_shops(layout: Layout) -> None:
    given = {"GATEWAY_LOGIN_RATE": "7", "GATEWAY_LISTEN": "80", "CATALOG_ADDRESS": "elsewhere:1"}

    settings = gateway.settings_of(layout, given)

    assert settings["GATEWAY_LOGIN_RATE"] == "7"
    assert settings["GATEWAY_LISTEN"] == f"127.0.0.1:{layout.ports['gateway']}"
    assert settings["CATALOG_ADDRESS"] == f"127.0.0.1:{layout.ports['catalog']}"


def test_the_key_is_made_once_and_kept_private(layout: Layout) -> None:
    key = secret_key(layout)

    assert secret_key(layout) == key
    assert len(key) >= 64
    assert (layout.run / "secret_key").stat().st_mode & 0o777 == 0o600
    assert layout.run.stat().st_mode & 0o077 == 0


def test_the_key_stands_in_no_configuration(layout: Layout) -> None:
    key = secret_key(layout)
    conf = configuration(layout, gateway=["nginx"], control=Path("control"))

    written = [value for section in conf.values() for value in section.values()]
    assert not any(key in value for value in written)
    assert service_environment(layout, secret_key=key).keys() >= {"SECRET_KEY", "BACKEND_URL"}


def test_settings_from_outside_win_but_addresses_are_the_shops_own(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO", "0")
    monkeypatch.setenv("ORDER_PROCESSING_DELAY", "0.1")
    monkeypatch.setenv("BACKEND_URL", "http://elsewhere")

    environment = service_environment(layout, secret_key="k" * 64)

    assert environment["DEMO"] == "0"
    assert environment["ORDER_PROCESSING_DELAY"] == "0.1"
    assert environment["BACKEND_URL"] == layout.url("catalog")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({}, "The catalog waits for Cassandra"),
        ({"STORE": "cassandra", "INSTANCES": "2"}, "All services wait for Cassandra"),
    ],
)
def test_the_shop_opens_without_cassandra_and_says_who_waits_for_it(
    tmp_path: Path, settings: dict[str, str], who: str
) -> None:
    (port,) = free_ports(1)
    doors = PREFIXES.values()
    away = {"CASSANDRA_HOST": "127.0.0.1", "CASSANDRA_PORT": str(port)}

    with shop_on_trial(tmp_path, **away, **settings) as shop:
        reached = [answers(shop.layout.ports["gateway"], f"{each}/health") for each in doors]
        is_ready = answers(shop.layout.ports["catalog"], "/ready")
        assert shop.close() == 0

    (sentence,) = [line for line in shop.said if who in line]
    assert "nobody listens there (CASSANDRA_HOST, CASSANDRA_PORT)" in sentence
    assert (reached, is_ready) == ([True] * len(doors), False)
