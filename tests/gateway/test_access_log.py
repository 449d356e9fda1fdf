"""One line a request: enough to find and to measure it, and nothing secret."""

import time
from typing import Any

import pytest

from tests.gateway.conftest import Gateway

SECRETS = {
    "Authorization": "Bearer secret-token",
    "Cookie": "session=secret-cookie",
    "X-Secret": "secret-header",
}


def line_of(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """nginx writes it after the answer."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        for line in gateway.logged():
            if line["request_id"] == request_id:
                return line
        time.sleep(0.02)
    raise AssertionError(f"no line for {request_id}")


def test_a_request_leaves_what_one_looks_for_later(gateway: Gateway) -> None:
    answer = gateway.ask("PUT", "/order-api/orders/x/cancel?a=b", headers={"X-Request-ID": "q" * 9})

    line = line_of(gateway, "q" * 9)

    assert (line["method"], line["path"]) == ("PUT", "/order-api/orders/x/cancel")
    assert (line["status"], line["client"], line["protocol"]) == (200, "127.0.0.1", "HTTP/1.1")
    assert (line["upstream"], line["upstream_status"]) == (
        gateway.services["orders"].address,
        "200",
    )
    assert line["bytes"] > len(answer.body)
    assert 0 <= line["seconds"] < 5
    for name in ("upstream_connect_seconds", "upstream_header_seconds", "upstream_seconds"):
        assert 0 <= float(line[name]) < 5


def test_an_answer_of_the_gateway_itself_has_no_upstream(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/api/metrics")

    line = line_of(gateway, answer.header("X-Request-ID") or "")

    assert (line["status"], line["upstream"], line["upstream_seconds"]) == (404, "", "")


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/user-api/metrics", 404),
        ("PUT", "/api/break?log", 502),
        ("DELETE", "/order-api/slow", 504),
        ("BREW", "/api/x", 405),
    ],
)
def test_a_refused_request_is_logged_as_it_came(
    gateway: Gateway, method: str, target: str, status: int
) -> None:
    answer = gateway.ask(method, target)

    line = line_of(gateway, answer.header("X-Request-ID") or "")

    said = (line["method"], line["path"], line["status"])
    assert said == (method, target.partition("?")[0], status)


def test_the_log_keeps_no_secrets(gateway: Gateway) -> None:
    answer = gateway.ask(
        "POST", "/user-api/token?password=secret-query", b"secret-body", headers=SECRETS
    )

    line_of(gateway, answer.header("X-Request-ID") or "")

    assert "secret" not in (gateway.folder / "access.log").read_text(errors="replace")


def test_whatever_is_asked_for_the_log_stays_json(gateway: Gateway) -> None:
    gateway.say(b'GET /"},{"a":"\xff\xfe\\ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    gateway.say(b"\x00\x01 nonsense\r\n\r\n")
    answer = gateway.ask("GET", "/%0a%22quoted%22")

    assert line_of(gateway, answer.header("X-Request-ID") or "")["path"] == "/%0a%22quoted%22"
    assert all(isinstance(line, dict) for line in gateway.logged())
