"""A real Prometheus watches a real shop: nothing that a rule or a panel asks for is missing."""

import signal

import httpx
import pytest

from deploy.local.layout import SERVICES
from deploy.local.trial import Trial
from tests.observing.custom import ROUNDS
from tests.observing.documents import Target, metrics_in, rules, targets
from tests.observing.server import Server, wait_until

pytestmark = pytest.mark.processes

OF_PROMETHEUS = {"ALERTS", "up"}
# The embedded store asks Cassandra nothing: tests/observing/test_cassandra_panels.py does.
ON_CASSANDRA = "cassandra_"
VARIABLES = {"$__rate_interval": "15s", "$view": ".+"}
ALERTS = "Alerts"


def shown_by(url: str) -> set[str]:
    """The names of the series that a service may show, seen yet or not."""
    names = set()
    for line in httpx.get(f"{url}/metrics").text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            names |= {name + ending for ending in endings}
    return names


def values_of(target: Target, prometheus: Server) -> list[float]:
    """What the panel would show."""
    expr = target.expr
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return prometheus.now(expr) if target.is_instant else prometheus.lately(expr)


def test_every_metric_that_is_asked_for_exists(watched: Trial, prometheus: Server) -> None:
    existing = set().union(*(shown_by(watched.layout.url(name)) for name in SERVICES))
    existing |= {rule["record"] for rule in rules() if "record" in rule}

    asked = [rule["expr"] for rule in rules()] + [target.expr for target in targets()]
    missing = {expr: metrics_in(expr) - existing - OF_PROMETHEUS for expr in asked}

    assert all(metrics_in(expr) for expr in asked)
    assert {expr: names for expr, names in missing.items() if names} == {}


def test_every_recording_rule_is_evaluated_without_an_error(prometheus: Server) -> None:
    groups = prometheus.get("rules")["groups"]
    evaluated = [rule for group in groups for rule in group["rules"]]

    assert len(evaluated) == len(rules())
    assert [rule for rule in evaluated if rule["health"] != "ok"] == []


def test_every_request_has_a_class(prometheus: Server) -> None:
    name = "django_http_requests_total_by_view_transport_method_total"
    classes = prometheus.get("query", query=f"sum by (route_class) ({name})")["result"]

    assert prometheus.now(f'count({name}{{route_class=""}})') == []
    assert {each["metric"]["route_class"] for each in classes} == {
        *("read", "write", "checkout", "login", "internal", "other"),
    }


def test_every_panel_shows_something(prometheus: Server) -> None:
    empty = [
        str(target)
        for target in targets()
        if target.panel != ALERTS
        and ON_CASSANDRA not in target.expr
        and not values_of(target, prometheus)
    ]

    assert empty == []


def test_the_figures_are_those_of_the_shop(prometheus: Server) -> None:
    """Each customer of each round did one thing; see custom.py."""
    expected: dict[str, float] = {
        "sum(checkouts_total)": 2 * ROUNDS,
        'sum(checkouts_failed_total{code="price_changed"})': ROUNDS,
        'sum(orders_status_total{status="CANCELLED"})': ROUNDS,
        "sum(products_ordered_total)": 3 * ROUNDS,
        "sum(order_revenue_cents_total)": (2 * 1050 + 123450) * ROUNDS,
        "sum(users_registered_total)": 3 * ROUNDS,
        'sum(logins_total{outcome="wrong"})': 2,
        'sum(logins_total{outcome="throttled"})': 3 * ROUNDS - 2,
    }

    assert {expr: prometheus.now(expr) for expr in expected} == {
        expr: [value] for expr, value in expected.items()
    }


def test_a_service_that_hangs_is_an_alert_on_the_overview(
    watched: Trial, prometheus: Server
) -> None:
    (table,) = [target for target in targets() if target.panel == ALERTS]
    down = f'{table.expr} and on (alertname) ALERTS{{alertname="ServiceDown"}}'
    assert prometheus.now(down) == []

    watched.kill("accounts", signal.SIGSTOP)
    try:
        wait_until(lambda: prometheus.now(down) == [1])
        alerts = prometheus.get("alerts")["alerts"]
    finally:
        watched.kill("accounts", signal.SIGCONT)

    summaries = {each["labels"]["alertname"]: each["annotations"]["summary"] for each in alerts}
    assert summaries["ServiceDown"] == "accounts does not answer"
