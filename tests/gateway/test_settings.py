"""The gateway's settings: what is rendered from them, and what a wrong one is told."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from deploy.local import gateway as local_gateway
from deploy.local.layout import CannotStart
from deploy.local.ports import free_ports
from deploy.local.readiness import answers
from tests.gateway.conftest import Gateway, GatewayWith

DOCUMENT = local_gateway.PROJECT / "docs" / "gateway.md"
WRONG = {
    "GATEWAY_LISTEN": ["eighty", "80;", "80 ssl"],
    "GATEWAY_RUN": ["run", '/tmp/"x', "/tmp/$x", "/tmp/a\nb"],
    "GATEWAY_TIMEOUT": ["10", "0s", "-1s", "10s;", "ten"],
    "GATEWAY_CLIENT_TIMEOUT": ["1h", "8s 8s"],
    "GATEWAY_CONNECTIONS": ["0", "many", "1.5"],
    "GATEWAY_LOGIN_RATE": ["0", "10r/s"],
    "GATEWAY_LOGIN_BURST": ["-1"],
    "GATEWAY_ACCESS_LOG": ["log", "syslog:server=a"],
    "GATEWAY_RESOLVER": ["a b", "1.1.1.1;"],
    "GATEWAY_TRUSTED_PROXIES": ["proxy", "10.0.0.0/8;", "10.0.0.0/8,all"],
    "CATALOG_ADDRESS": ["catalog", "http://catalog:8000", "catalog:8000/x", "a:1;b:2", ","],
    "GRAFANA_ADDRESS": ["grafana", "http://grafana:3000"],
    "CORS_ALLOWED_ORIGINS": ["*", "shop.test", "https://shop.test/", 'https://a"b'],
    "ALLOWED_HOSTS": ["shop test", "*.shop.test", "a;b"],
    "GATEWAY_TLS_KEY": ["/only/the/key.pem"],
}


def rendered(nginx: str, **settings: str) -> str:
    return local_gateway.render(nginx, settings)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_setting_is_named_in_one_sentence(nginx: str, name: str, value: str) -> None:
    with pytest.raises(CannotStart, match=name) as problem:
        rendered(nginx, **{name: value})

    assert str(problem.value).endswith(".")


def test_every_name_is_filled_in_without_any_setting(nginx: str) -> None:
    assert "${" not in rendered(nginx)


def test_a_setting_that_is_empty_counts_as_not_given(nginx: str) -> None:
    assert rendered(nginx, GATEWAY_LISTEN="", CATALOG_ADDRESS="") == rendered(nginx)


def test_lists_may_have_spaces_and_a_comma_at_the_end(nginx: str) -> None:
    text = rendered(nginx, CATALOG_ADDRESS=" 10.0.0.1:8000 , [fd00::1]:8000, ")

    assert "server 10.0.0.1:8000 " in text
    assert "server [fd00::1]:8000 " in text


def test_what_stands_twice_in_a_list_counts_once(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(
        ALLOWED_HOSTS="localhost,shop.test,.shop.test,shop.test",
        CORS_ALLOWED_ORIGINS="https://a.test,https://a.test",
        GATEWAY_TRUSTED_PROXIES="10.0.0.0/8,10.0.0.0/8",
    )

    assert gateway.ask("GET", "/api/x", headers={"Host": "a.shop.test"}).status == 200


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "localhost"])
def test_addresses_are_not_asked_for_again(nginx: str, host: str) -> None:
    assert " resolve;" not in rendered(nginx, CATALOG_ADDRESS=f"{host}:8000")


@pytest.mark.parametrize("name", [*WRONG, "GATEWAY_HTML", "GATEWAY_TLS_CERTIFICATE", "DEMO"])
def test_every_setting_is_documented(name: str) -> None:
    script = (local_gateway.NGINX / "render.awk").read_text()

    assert f'"{name}"' in script
    assert f"`{name}`" in DOCUMENT.read_text()


def test_every_setting_that_is_read_is_known_here() -> None:
    words = (local_gateway.NGINX / "render.awk").read_text().split('"')
    read = {word for word in words if word.startswith("GATEWAY_") and word.isupper()}

    assert read <= {*WRONG, "GATEWAY_HTML", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_CONF"}


@pytest.fixture
def containers_path(nginx: str, tmp_path: Path) -> str:
    """A search path on which ``nginx`` is the one under test."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nginx").symlink_to(nginx)
    return f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"


def test_the_containers_script_serves_and_ends_when_told(
    gateway: Gateway, containers_path: str, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    settings = {"GATEWAY_LISTEN": str(port), "GATEWAY_RUN": str(tmp_path / "run")}
    settings["CATALOG_ADDRESS"] = gateway.services["catalog"].address
    container = subprocess.Popen(
        [local_gateway.NGINX / "start.sh"],
        env={"PATH": containers_path} | settings,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        while not answers(port, "/health"):
            assert container.poll() is None, container.communicate()
        assert answers(port, "/api/products/")
    finally:
        container.send_signal(signal.SIGQUIT)
        said, _ = container.communicate(timeout=20)

    assert container.returncode == 0
    assert b'"path":"/api/products/"' in said
    assert b"/health" not in said


def test_the_containers_script_ends_at_a_wrong_setting(
    containers_path: str, tmp_path: Path
) -> None:
    settings = {"GATEWAY_RUN": str(tmp_path / "run"), "CATALOG_ADDRESS": "nowhere"}

    ended = subprocess.run(
        [local_gateway.NGINX / "start.sh"],
        env={"PATH": containers_path} | settings,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("CATALOG_ADDRESS is 'nowhere'; it should be like this:")
