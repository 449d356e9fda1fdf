"""Where an address leads, and which ones lead nowhere."""

from urllib.parse import quote, unquote

import pytest

from tests.gateway.conftest import Gateway, GatewayWith
from tests.gateway.echo import Echo

PREFIXES = {
    "/api": "catalog",
    "/cart-api": "carts",
    "/order-api": "orders",
    "/user-api": "accounts",
}
SERVICES_ONLY = [
    "/metrics",
    "/metrics/",
    "//metrics",
    "/./metrics",
    "/Metrics",
    "/%6detrics",
    "/products/../metrics",
    "/%2e%2e/{prefix}/metrics",
    "%2fmetrics",
    "/metrics?a=b",
    "/metrics%0a",
    "/metrics;a=b",
    "/metrics;/x",
    "/metrics%3Ba=b",
    "/%2E/metrics",
    "/x/%2e%2E/metrics",
    "/x/..%2fmetrics",
    "//%2F/metrics",
    "/books/stock",
    "/books/",
    "/Books/orders",
    "/%62ooks/orders",
    "//books//audit",
    "/reservations",
    "/reservations/",
    "/reservations/moves",
    "/reservations/6f1c0c5e-0000-4000-8000-000000000000",
    "/reservations/6f1c0c5e-0000-4000-8000-000000000000/sold",
    "/RESERVATIONS/x",
    "//reservations//x",
    "/reservations%2Fx",
    "/reservations;x/y",
    "/%2e/reservations//",
    "/%72eservations/x",
    "/./reservations/../reservations/x",
    "/products/import",
    "/products//import",
    "/products/./import",
    "/products%2fimport",
    "/products/import/",
    "/users/verify",
    "/users/%76erify",
    "/users//verify/",
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(("prefix", "service"), PREFIXES.items())
def test_a_prefix_leads_to_its_service_and_is_taken_off(
    gateway: Gateway, prefix: str, service: str, method: str
) -> None:
    seen = gateway.ask(method, f"{prefix}/some/path/?a=1&b=%2F&c=+").json

    assert (seen["service"], seen["method"]) == (service, method)
    assert seen["target"] == "/some/path/?a=1&b=%2F&c=+"


@pytest.mark.parametrize("path", SERVICES_ONLY)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_the_services_say_to_each_other_is_not_there(
    gateway: Gateway, prefix: str, path: str
) -> None:
    arrivals = gateway.arrivals()

    for method in ("GET", "POST", "PUT"):
        answer = gateway.ask(method, prefix + path.replace("{prefix}", prefix[1:]))

        assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert gateway.arrivals() == arrivals


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "path", ["/metricsx", "/products/imports", "/products/x/metrics", "/%256detrics", "/health"]
)
def test_what_only_looks_like_it_passes(gateway: Gateway, prefix: str, path: str) -> None:
    answer = gateway.ask("GET", prefix + path)

    assert answer.json["target"] == path


def test_notifications_reach_accounts_which_decide(gateway: Gateway) -> None:
    answer = gateway.ask("POST", "/user-api/users/notify/order-status", b"{}")

    assert answer.json["service"] == "accounts"
    assert answer.json["target"] == "/users/notify/order-status"


@pytest.mark.parametrize("category", ["Книги", "a b", "50%", "a+b", "what?", "c#", "a&b=c"])
def test_names_in_a_path_arrive_as_they_were_written(gateway: Gateway, category: str) -> None:
    path = f"/products/by-category/{quote(category, safe='')}"

    for method in ("GET", "PUT"):
        target = gateway.ask(method, f"/api{path}").json["target"]

        assert "?" not in target
        assert unquote(target) == unquote(path)


@pytest.mark.parametrize("path", ["/cart", "/cart/", "/orders", "/orders/"])
def test_slashes_at_the_end_are_left_alone(gateway: Gateway, path: str) -> None:
    assert gateway.ask("GET", f"/cart-api{path}").json["target"] == path


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("target", ["/once/api/products/", "/once/user-api/", "/once/", "/error"])
def test_inner_addresses_lead_nowhere_from_outside(
    gateway: Gateway, method: str, target: str
) -> None:
    arrivals = gateway.arrivals()

    answer = gateway.ask(method, target)

    assert answer.status in {404, 405}
    assert gateway.arrivals() == arrivals


@pytest.mark.parametrize(("target", "title"), [("/", "Product Store"), ("/swagger/", "Swagger UI")])
def test_pages_are_served(gateway: Gateway, target: str, title: str) -> None:
    answer = gateway.ask("GET", target)

    assert title in answer.body.decode()
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert len(answer.all("X-Request-ID")) == 1


def test_a_forgotten_slash_leads_to_the_page(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/swagger")

    assert (answer.status, answer.header("Location")) == (301, "/swagger/")


def test_grafana_is_behind_the_door_where_there_is_one(gateway_with: GatewayWith) -> None:
    with Echo("grafana") as grafana:
        gateway = gateway_with(GRAFANA_ADDRESS=grafana.address)
        seen = gateway.ask("POST", "/grafana/api/ds/query?a=b", b"{}", headers={"X-User-ID": "x"})
        inner = gateway.ask("GET", "/grafana/metrics")

    assert seen.json["service"] == "grafana"
    assert seen.json["target"] == "/grafana/api/ds/query?a=b"
    assert seen.seen("Host") == [f"127.0.0.1:{gateway.port}"]
    assert seen.seen("X-User-ID") == []
    assert inner.status == 404
    assert grafana.arrivals.keys() == {"/grafana/api/ds/query?a=b"}


def test_without_grafana_there_is_nothing(gateway: Gateway) -> None:
    for path in ("/grafana/", "/grafana/login", "/prometheus/", "/prometheus/api/v1/targets"):
        answer = gateway.ask("GET", path)

        assert (answer.status, answer.json["code"]) == (404, "not_found")
