"""A proxy in front of the gateway: whose word is taken on addresses and on TLS."""

import shutil
import ssl
import subprocess
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.gateway.conftest import Gateway, GatewayWith
from tests.gateway.test_headers import LOCATIONS

SAID = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.1.2.3", "X-Forwarded-Proto": "https"}


def told(gateway: Gateway, method: str, target: str, **said: str) -> tuple[str, str, str]:
    """What a service is told: address, addresses, scheme."""
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    answer = gateway.ask(method, target, headers=headers)
    (address,) = answer.seen("X-Real-IP")
    (addresses,) = answer.seen("X-Forwarded-For")
    (scheme,) = answer.seen("X-Forwarded-Proto")
    return address, addresses, scheme


@pytest.mark.parametrize(("method", "target", "prefix"), LOCATIONS)
def test_a_trusted_proxy_says_who_called_and_how(
    gateway_with: GatewayWith, method: str, target: str, prefix: str
) -> None:
    gateway = gateway_with(GATEWAY_TRUSTED_PROXIES="127.0.0.0/8, 10.0.0.0/8, ::1")

    assert told(gateway, method, target, **SAID) == ("203.0.113.7", "203.0.113.7", "https")


def test_nobody_elses_word_is_taken(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(GATEWAY_TRUSTED_PROXIES="10.0.0.0/8")

    for method, target, _ in LOCATIONS:
        assert told(gateway, method, target, **SAID) == ("127.0.0.1", "127.0.0.1", "http")


@pytest.mark.parametrize("scheme", ["", "ftp", "https, http", "javascript:"])
def test_a_scheme_is_one_of_two(gateway_with: GatewayWith, scheme: str) -> None:
    gateway = gateway_with(GATEWAY_TRUSTED_PROXIES="127.0.0.1")

    said = {"X-Forwarded-For": "nonsense", "X-Forwarded-Proto": scheme}

    assert told(gateway, "GET", "/api/", **said)[::2] == ("127.0.0.1", "http")


def test_logins_behind_a_proxy_are_counted_by_client(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(
        GATEWAY_TRUSTED_PROXIES="127.0.0.1", GATEWAY_LOGIN_RATE="1", GATEWAY_LOGIN_BURST="1"
    )

    def statuses(address: str) -> list[int]:
        headers = {"X-Forwarded-For": address}
        answers = [gateway.ask("POST", "/user-api/token", headers=headers) for _ in range(5)]
        return [answer.status for answer in answers]

    assert 429 in statuses("203.0.113.7")
    assert statuses("203.0.113.8")[:2] == [200, 200]


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine to make a certificate with")
    files = {"keyout": tmp_path / "key.pem", "out": tmp_path / "certificate.pem"}
    where = [text for option, file in files.items() for text in (f"-{option}", str(file))]
    request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *request, *name, *where], check=True, capture_output=True)
    return {
        "GATEWAY_TLS_KEY": str(files["keyout"]),
        "GATEWAY_TLS_CERTIFICATE": str(files["out"]),
    }


def test_tls_ends_here_where_there_is_a_certificate(
    gateway_with: GatewayWith, certificate: dict[str, str]
) -> None:
    gateway = gateway_with(**certificate)
    context = ssl.create_default_context(cafile=certificate["GATEWAY_TLS_CERTIFICATE"])

    connection = HTTPSConnection("127.0.0.1", gateway.port, context=context, timeout=5)
    connection.request("GET", "/api/products/")
    answer = connection.getresponse()

    assert (answer.status, b'["X-Forwarded-Proto", "https"]' in answer.read()) == (200, True)
    connection.close()


def test_a_tls_client_gets_http_2(gateway_with: GatewayWith, certificate: dict[str, str]) -> None:
    gateway = gateway_with(**certificate)
    if b"HTTP2" not in subprocess.run(["curl", "-V"], capture_output=True, check=True).stdout:
        pytest.skip("this curl does not speak HTTP/2")

    def asked(target: str) -> str:
        command = ["curl", "-sk", "--http2", "-w", "%{http_version} %{http_code}"]
        url = f"https://127.0.0.1:{gateway.port}{target}"
        return subprocess.run([*command, url], capture_output=True, check=True).stdout.decode()

    assert asked("/api/products/").endswith("}2 200")
    assert '"X-Forwarded-Host", "127.0.0.1:' in asked("/api/products/")
    assert asked("/api/metrics").endswith('"code":"not_found"}2 404')


def test_plain_http_to_a_tls_port_is_a_400_in_json(
    gateway_with: GatewayWith, certificate: dict[str, str]
) -> None:
    answer = gateway_with(**certificate).ask("GET", "/api/products/")

    assert (answer.status, answer.json["code"]) == (400, "malformed")
