"""One journey is one trace, through the gateway, the four services and Cassandra."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.cassandra.trial import Trial as Cassandra
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.conftest import FAST_HASHES
from tests.journeys.warming import warm_up
from tests.receiver import Receiver, Span, receiving

pytestmark = [pytest.mark.processes, pytest.mark.cassandra]

TRACE_ID, CALLERS_SPAN = secrets.token_hex(16), secrets.token_hex(8)
PASSWORD = "a password that nobody else has"
NAME = f"buyer_{secrets.token_hex(4)}"
STATUSES = ["PROCESSING", "SHIPPING", "DELIVERED"]
QUICK = {
    "ORDER_PROCESSING_DELAY": "0.3",
    "ORDER_SHIPPING_DELAY": "0.3",
    "ORDER_DELIVERY_MIN": "0.3",
    "ORDER_DELIVERY_MAX": "0.3",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "DEBUG",
}


@dataclass(frozen=True)
class Journey:
    """What a journey left behind: the spans of its trace, the lines of all logs."""

    spans: list[Span]
    receiver: Receiver
    logs: dict[str, list[str]]
    order_id: str
    token: str
    secret_key: str

    def first(self, service: str, name: str) -> Span:
        """On a busy machine a call may be repeated."""
        return self.all(service, name)[0]

    def all(self, service: str, name: str) -> list[Span]:
        return [span for span in self.spans if (span.service, span.name) == (service, name)]

    def ancestors(self, span: Span) -> list[str]:
        by_id = {each.span_id: each for each in self.spans}
        found = []
        while span.parent_id in by_id:
            span = by_id[span.parent_id]
            found.append(f"{span.service} {span.name}")
        return found


@pytest.fixture(scope="module")
def journey(
    cassandra: Cassandra,
    tmp_path_factory: pytest.TempPathFactory,
) -> Journey:
    run = tmp_path_factory.mktemp("shop")
    with receiving() as (url, receiver):
        settings = FAST_HASHES | QUICK | cassandra.settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
        with shop_on_trial(run, **settings) as shop:
            warm_up(shop)
            # News of their orders and of ours would go in one message, which has one trace.
            shop.wait_until(lambda: has_come_to_rest(shop), seconds=30)
            token, order_id = travel(shop)
            receiver.wait_until(is_delivered, seconds=20)
            assert shop.close() == 0
    return Journey(
        spans=[span for span in receiver.spans if span.trace_id == TRACE_ID],
        receiver=receiver,
        logs=_logs(run / "logs"),
        order_id=order_id,
        token=token,
        secret_key=(run / "secret_key").read_text().strip(),
    )


def travel(shop: Trial) -> tuple[str, str]:
    """Registers, logs in, adds, checks out. Gives the token and the order's id."""
    traced = {"traceparent": f"00-{TRACE_ID}-{CALLERS_SPAN}-01"}
    with httpx.Client(base_url=shop.url, headers=traced, timeout=15) as client:
        person = {"full_name": "A Buyer", "phone": "+7 999 000-00-00", "password": PASSWORD}
        client.post("/user-api/users/register", json=person | {"username": NAME})
        form = {"username": NAME, "password": PASSWORD}
        token = client.post("/user-api/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        query = {"category": "Молочные продукты", "in_stock": "true", "sort_by": "price"}
        product = client.get("/api/products/", params=query).json()["items"][0]["product_id"]
        client.post("/cart-api/cart/items", json={"product_id": product, "quantity": 1})
        answer = client.post("/user-api/users/me/orders")
        assert answer.status_code == 200, answer.text
        return token, answer.json()["id"]


def has_come_to_rest(shop: Trial) -> bool:
    text = httpx.get(f"http://127.0.0.1:{shop.layout.ports['orders']}/metrics").text
    waiting = [
        line for line in text.splitlines() if line.startswith(("orders_open", "outbox_pending"))
    ]
    return all(line.endswith(" 0.0") for line in waiting)


def is_delivered(spans: list[Span]) -> bool:
    """The order of the journey, not that of the warming up."""
    own = [span for span in spans if span.trace_id == TRACE_ID]
    heard = [span for span in own if span.service == "accounts" and "notify" in span.name]
    return len(heard) >= 4 and any(span.name == "order DELIVERED" for span in own)


def _logs(folder: Path) -> dict[str, list[str]]:
    return {file.stem: file.read_text().splitlines() for file in folder.glob("*.log")}


def test_every_service_has_its_part_in_the_one_trace(journey: Journey) -> None:
    assert {span.service for span in journey.spans} == {"accounts", "carts", "orders", "catalog"}
    assert {each["service.namespace"] for each in journey.receiver.resources} == {"product-store"}


def test_a_request_hangs_on_its_caller_from_the_client_to_cassandra(journey: Journey) -> None:
    reserving = journey.first("catalog", "PUT /reservations/{order_id}")
    statement = next(
        span
        for span in journey.spans
        if span.attributes.get("db.system.name") == "cassandra"
        and journey.ancestors(span)[-1] == "accounts POST /users/me/orders"
    )

    assert journey.ancestors(reserving) == [
        "orders PUT /reservations/{id}",
        "orders POST /orders/",
        "carts POST /orders/",
        "carts POST /cart/checkout",
        "accounts POST /cart/checkout",
        "accounts POST /users/me/orders",
    ]
    assert journey.first("accounts", "POST /users/me/orders").parent_id == CALLERS_SPAN
    assert (statement.service, statement.kind) == ("catalog", "client")
    assert set(statement.attributes) == {"db.system.name", "db.system", "db.operation.name"}


def test_the_steps_of_an_order_stay_in_its_trace_and_name_it(journey: Journey) -> None:
    placed = journey.first("orders", "POST /orders/")
    steps = [journey.first("orders", f"order {status}") for status in STATUSES]
    news = journey.all("orders", "deliver notify")

    assert {span.parent_id for span in [*steps, *news]} == {placed.span_id}
    assert {span.attributes["shop.order_id"] for span in [*steps, *news, placed]} == {
        journey.order_id
    }


def test_every_delivery_of_the_outbox_reaches_its_service(journey: Journey) -> None:
    heard = journey.all("accounts", "POST /users/notify/order-status")
    sold = journey.first("catalog", "POST /reservations/{order_id}/sold")

    assert len(heard) >= 4
    for span in heard:
        assert journey.ancestors(span)[1:] == ["orders deliver notify", *placing(journey)]
        assert span.attributes["shop.order_id"] == journey.order_id
    assert journey.ancestors(sold)[1:] == ["orders deliver sold", *placing(journey)]


def placing(journey: Journey) -> list[str]:
    placed = journey.first("orders", "POST /orders/")
    return ["orders POST /orders/", *journey.ancestors(placed)]


def test_a_span_of_a_request_says_what_the_conventions_ask_for(journey: Journey) -> None:
    span = journey.first("carts", "POST /cart/checkout")

    assert span.kind == "server"
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/cart/checkout",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "shop.order_id": journey.order_id,
    }


def test_nobody_in_particular_makes_no_trace(journey: Journey) -> None:
    names = {f"{span.service} {span.name}" for span in journey.receiver.spans}

    assert names.isdisjoint({"catalog cassandra changes", "catalog cassandra ping"})
    assert not [name for name in names if "/ready" in name or "/metrics" in name]


def test_the_log_lines_carry_the_trace_and_the_request_through_all_services(
    journey: Journey,
) -> None:
    entries = [
        json.loads(line)
        for name in ("accounts", "carts", "orders", "catalog")
        for line in journey.logs[name]
    ]
    checkout = next(each for each in entries if each.get("route") == "/users/me/orders")
    same = [each for each in entries if each.get("request_id") == checkout["request_id"]]

    assert checkout["trace_id"] == TRACE_ID
    assert {each["service"] for each in same} == {"accounts", "carts", "orders", "catalog"}
    assert {each["user"] for each in same if "user" in each} == {checkout["user"]}


def test_nothing_secret_is_in_any_span_or_log(journey: Journey) -> None:
    written = journey.receiver.raw.decode("latin1")
    written += "".join(line for lines in journey.logs.values() for line in lines)

    for secret in (PASSWORD, journey.token, journey.secret_key, NAME, "Bearer"):
        assert secret not in written
    assert "in_stock" not in written
    assert b"in_stock" not in journey.receiver.raw
