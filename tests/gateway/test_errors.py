"""The gateway's own errors are JSON like the services', and theirs pass untouched."""

import json
import re

import pytest

from tests.gateway.conftest import Gateway, GatewayWith

LIMIT = 256 * 1024
METHODS = ["GET", "POST", "PUT", "DELETE"]


def chunks(size: int) -> list[bytes]:
    return [b"x" * 65536] * (size // 65536) + [b"x" * (size % 65536)]


def told(text: bytes) -> tuple[int, str]:
    head, _, body = text.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_body_over_the_limit_is_refused(gateway: Gateway, method: str) -> None:
    arrivals = gateway.arrivals()

    for body in (b"x" * (LIMIT + 1), iter(chunks(LIMIT + 1))):
        answer = gateway.ask(method, "/api/products/", body)

        assert (answer.status, answer.json["code"]) == (413, "too_large")
        assert answer.header("Content-Type") == "application/json"
        assert len(answer.all("X-Request-ID")) == 1
    assert gateway.arrivals() == arrivals


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_of_the_limit_passes(gateway: Gateway, method: str) -> None:
    assert gateway.ask(method, "/api/products/", b"x" * LIMIT).json["body_bytes"] == LIMIT
    assert gateway.ask(method, "/api/products/", iter(chunks(LIMIT))).json["body_bytes"] == LIMIT


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("prefix", ["/api", "/cart-api", "/order-api", "/user-api"])
def test_a_service_that_is_away_is_a_502(lonely_gateway: Gateway, prefix: str, method: str) -> None:
    answer = lonely_gateway.ask(method, f"{prefix}/x")

    assert (answer.status, answer.json["code"]) == (502, "bad_gateway")
    assert answer.header("Retry-After") == "1"


def test_the_stream_of_a_service_that_is_away_is_a_502(lonely_gateway: Gateway) -> None:
    answer = lonely_gateway.ask("GET", "/user-api/users/me/notifications/stream")

    assert (answer.status, answer.json["code"]) == (502, "bad_gateway")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_service_that_takes_too_long_is_a_504(gateway: Gateway, method: str) -> None:
    answer = gateway.ask(method, "/order-api/slow")

    assert (answer.status, answer.json["code"]) == (504, "gateway_timeout")
    assert answer.header("Retry-After") == "5"


def test_an_error_of_a_service_passes_untouched(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/api/refuse")

    assert answer.status == 404
    assert answer.json == {"detail": "No such product.", "code": "product_not_found"}


@pytest.mark.parametrize("target", ["/nowhere", "/apis/", "/swagger/nothing.js", "/api/metrics"])
def test_an_address_that_leads_nowhere_is_a_404(gateway: Gateway, target: str) -> None:
    answer = gateway.ask("GET", target)

    assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert re.fullmatch("[0-9a-f]{32}", answer.header("X-Request-ID") or "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_are_only_read(gateway: Gateway, method: str) -> None:
    answer = gateway.ask(method, "/swagger/", b"")

    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD"


def test_trace_is_refused(gateway: Gateway) -> None:
    answer = gateway.ask("TRACE", "/api/products/")

    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert "POST" in (answer.header("Allow") or "")


@pytest.mark.parametrize("target", ["/api/products/", "/user-api/token", "/swagger/"])
def test_a_verb_that_nobody_knows_reaches_no_service(gateway: Gateway, target: str) -> None:
    arrived = gateway.arrivals()

    answer = gateway.ask("BREW", target)

    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert "POST" in (answer.header("Allow") or "")
    assert gateway.arrivals() == arrived


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", (400, "malformed")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400, "malformed")),
        (b"nonsense\r\n\r\n", (400, "malformed")),
        (b"GET /api/%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", (400, "malformed")),
        (b"GET /../x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", (400, "malformed")),
        (b"GET /" + b"x" * 10000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414, "uri_too_long")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 40000 + b"\r\n\r\n", (400, "malformed")),
        (b"GET /api/x HTTP/2.0\r\nHost: a\r\n\r\n", (400, "malformed")),
        (
            b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            (400, "malformed"),
        ),
    ],
)
def test_what_can_not_be_read_is_a_400(
    gateway: Gateway, text: bytes, expected: tuple[int, str]
) -> None:
    assert told(gateway.say(text)) == expected


ERRORS = ["/nowhere", "/api/metrics", "/order-api/slow", "/order-api/break?cors"]


@pytest.mark.parametrize("target", ERRORS)
def test_a_page_of_another_origin_can_read_the_error(gateway: Gateway, target: str) -> None:
    answer = gateway.ask("GET", target, headers={"Origin": "http://elsewhere"})

    assert answer.status >= 400
    assert answer.all("Access-Control-Allow-Origin") == ["*"]
    assert "X-Request-ID" in (answer.header("Access-Control-Expose-Headers") or "")
    assert answer.header("Vary") == "Origin"


@pytest.mark.parametrize("target", ERRORS)
def test_who_names_no_origin_gets_no_word_about_it(gateway: Gateway, target: str) -> None:
    answer = gateway.ask("GET", target)

    assert answer.all("Access-Control-Allow-Origin") == []
    assert answer.all("Vary") == []


def test_only_the_origins_of_the_list_can_read_it(gateway_with: GatewayWith) -> None:
    origins = "https://a.test, http://b.test:3000"
    gateway = gateway_with(CORS_ALLOWED_ORIGINS=origins)

    def allowed(origin: str) -> list[str]:
        answer = gateway.ask("GET", "/nowhere", headers={"Origin": origin})
        return answer.all("Access-Control-Allow-Origin")

    for origin in ("https://a.test", "http://b.test:3000"):
        assert allowed(origin) == [origin]
    for origin in ("http://a.test", "https://a.test.evil", "https://xa.test", "null", "*"):
        assert allowed(origin) == []


def test_outside_of_demo_mode_no_origin_can(gateway_with: GatewayWith) -> None:
    answer = gateway_with(DEMO="0").ask("GET", "/nowhere", headers={"Origin": "http://elsewhere"})

    assert answer.all("Access-Control-Allow-Origin") == []
    assert answer.all("X-Store-Demo") == []


def test_a_200_of_a_service_has_its_own_word_alone(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/api/products/", headers={"Origin": "http://elsewhere"})

    assert answer.all("Access-Control-Allow-Origin") == []


def test_the_gateway_says_that_it_lives_when_every_service_is_away(lonely_gateway: Gateway) -> None:
    answer = lonely_gateway.ask("GET", "/health")

    assert (answer.status, answer.json) == (200, {"status": "ok", "service": "gateway"})
