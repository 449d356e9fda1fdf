"""Requests that two servers may read differently, and what they come to here."""

import re

import pytest

from tests.gateway.conftest import Gateway, GatewayWith

HEAD = b"POST /api/x HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n"
INNER = b"GET /metrics HTTP/1.1\r\nHost: shop.test\r\n\r\n"  # 42 bytes


def status(answer: bytes) -> int:
    return int(answer.split(None, 2)[1])


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 0\r\nContent-Length: 42\r\n",
        b"Content-Length: 42\r\nContent-Length: 42\r\n",
        b"Content-Length: 42, 42\r\n",
        b"Content-Length: +42\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x2a\r\n",
        b"Content-Length: 42\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 42\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
    ],
)
def test_a_body_of_two_lengths_reaches_no_service(gateway: Gateway, framing: bytes) -> None:
    arrived = gateway.arrivals()

    answer = gateway.say(HEAD + framing + b"\r\n" + INNER)

    assert status(answer) == 400
    assert b'"code":"malformed"' in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert gateway.arrivals() == arrived


@pytest.mark.parametrize(
    "body",
    [b"zz\r\nhello\r\n0\r\n\r\n", b"-1\r\n\r\n", b"fffffffffffffffff\r\n", b"5\r\nhello0\r\n\r\n"],
)
def test_chunks_that_do_not_add_up_reach_no_service(gateway: Gateway, body: bytes) -> None:
    arrived = gateway.arrivals()

    answer = gateway.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    assert status(answer) in {400, 413}
    assert gateway.arrivals() == arrived


def test_chunks_reach_a_service_as_one_length(gateway: Gateway) -> None:
    chunked = b"Transfer-Encoding: chunked\r\nTrailer: X-User-ID\r\n\r\n5\r\nhello\r\n0\r\n"

    answer = gateway.say(HEAD + chunked + b"X-User-ID: alice\r\n\r\n")

    assert b'"body_bytes": 5' in answer
    assert b'["Content-Length", "5"]' in answer
    assert b"chunked" not in answer.lower()
    assert b"alice" not in answer


def test_lines_that_end_in_a_bare_line_feed_are_one_request(gateway: Gateway) -> None:
    arrived = gateway.arrivals()

    answer = gateway.say(
        b"POST /api/x HTTP/1.1\nHost: shop.test\nConnection: close\nX-User-ID: alice\n"
        b"Content-Length: 42\n\n" + INNER
    )

    assert b'"body_bytes": 42' in answer
    assert b"alice" not in answer
    assert gateway.arrivals() == arrived + 1


@pytest.mark.parametrize("line", [b"A: b\rX-User-ID: alice\r\n", b"X-User-ID : alice\r\n"])
def test_no_header_hides_in_another(gateway: Gateway, line: bytes) -> None:
    answer = gateway.say(HEAD + line + b"Content-Length: 0\r\n\r\n")

    assert status(answer) in {200, 400}
    assert b"alice" not in answer


def test_a_folded_header_is_refused_or_gone(gateway: Gateway) -> None:
    answer = gateway.say(HEAD + b"A: b\r\n X-User-ID: alice\r\nContent-Length: 0\r\n\r\n")

    assert status(answer) in {200, 400}
    assert b"alice" not in answer


def test_an_old_client_gets_an_answer(gateway: Gateway) -> None:
    answer = gateway.say(b"GET /api/products/ HTTP/1.0\r\n\r\n")

    assert status(answer) == 200
    assert b'"target": "/products/"' in answer
    assert b"chunked" not in answer.lower()


def test_an_old_client_gets_an_error_it_can_read(gateway: Gateway) -> None:
    answer = gateway.say(b"GET /api/metrics HTTP/1.0\r\nHost: shop.test\r\n\r\n")

    assert status(answer) == 404
    assert b'"code":"not_found"' in answer


def test_a_whole_address_in_the_first_line_is_understood(gateway: Gateway) -> None:
    answer = gateway.say(
        b"GET http://shop.test:80/api/x?a=1 HTTP/1.1\r\n"
        b"Host: shop.test\r\nConnection: close\r\n\r\n"
    )

    assert b'"target": "/x?a=1"' in answer
    assert b'["Host", "shop.test"]' in answer


@pytest.mark.parametrize("path", [b"/api/metrics", b"/api/reservations/x", b"/api/%6detrics"])
def test_a_whole_address_is_no_way_around(gateway: Gateway, path: bytes) -> None:
    head = b"GET http://shop.test%b HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"

    assert status(gateway.say(head % path)) == 404


@pytest.mark.parametrize("target", [b"http://evil/api/x", b"http://evil:80/api/x", b"HTTP://EVIL/"])
def test_a_request_with_two_hosts_is_refused(gateway: Gateway, target: bytes) -> None:
    answer = gateway.say(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target)

    assert status(answer) == 400
    assert b'"code":"malformed"' in answer


@pytest.mark.parametrize("host", ["a b", "a/b", "a\\b", "", "shop.test, evil", "[::1", "a\tb"])
def test_a_host_that_is_none_is_refused(gateway: Gateway, host: str) -> None:
    answer = gateway.say(
        f"GET /api/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )

    assert status(answer) == 400


@pytest.mark.parametrize(
    "host", ["shop.test", "SHOP.test", "shop.test:8080", "shop.test.", "[::1]:80", "127.0.0.1"]
)
def test_a_host_arrives_as_it_was_written(gateway: Gateway, host: str) -> None:
    assert gateway.ask("GET", "/api/x", headers={"Host": host}).seen("Host") == [host]


def test_only_the_shops_own_names_are_answered(gateway_with: GatewayWith) -> None:
    gateway = gateway_with(ALLOWED_HOSTS="shop.test,.stores.test,10.0.0.1")

    def answer(host: str, target: str = "/api/x") -> int:
        return gateway.ask("GET", target, headers={"Host": host}).status

    for host in ("shop.test", "Shop.Test:8080", "stores.test", "a.stores.test", "10.0.0.1"):
        assert answer(host) == 200, host
    for host in ("evil.test", "a.shop.test", "shop.test.evil.test", "127.0.0.2", "xlocalhost"):
        assert answer(host) == 400, host
        assert answer(host, "/") == 400
    for host in ("localhost:8080", "127.0.0.1", "[::1]"):
        assert answer(host) == 200, host
    assert answer("10.9.9.9", "/health") == 200
    assert answer("10.9.9.9", "/error") == 404


def test_a_wrong_host_is_told_so_in_json(gateway_with: GatewayWith) -> None:
    answer = gateway_with(ALLOWED_HOSTS="shop.test").ask("GET", "/", headers={"Host": "evil.test"})

    assert answer.json["code"] == "malformed"
    assert re.fullmatch("[0-9a-f]{32}", answer.header("X-Request-ID") or "")
