"""What Prometheus is shown: the contract's families with exactly their labels and buckets."""

from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.contract import callers
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PREFIXES = ["/api", "/cart-api", "/order-api", "/user-api"]
# As the parser names them: a counter without its _total.
FAMILIES: dict[str, tuple[str, set[str]]] = {
    "cassandra_connections_active": ("gauge", set()),
    "cassandra_queries": ("counter", {"operation"}),
    "cassandra_query_duration_seconds": ("histogram", {"operation"}),
    "products_total": ("gauge", set()),
    "products_by_category": ("gauge", {"category"}),
    "cart_value_cents": ("histogram", set()),
    "cart_items_count": ("histogram", set()),
    "items_added_to_cart": ("counter", {"product_name"}),
    "checkouts": ("counter", set()),
    "orders_created": ("counter", set()),
    "orders_status": ("counter", {"status"}),
    "order_revenue_cents": ("counter", set()),
    "order_delivery_duration_seconds": ("histogram", set()),
    "users_registered": ("counter", set()),
    "django_http_requests_total_by_view_transport_method": (
        "counter",
        {"view", "transport", "method"},
    ),
    "django_http_requests_total_by_method": ("counter", {"method"}),
    "django_http_responses_total_by_status": ("counter", {"status"}),
    "django_http_responses_total_by_status_view_method": ("counter", {"status", "view", "method"}),
    "django_http_requests_latency_seconds_by_view_method": ("histogram", {"view", "method"}),
}
BUCKETS = {
    "cart_value_cents": [1000, 2500, 5000, 7500, 10000, 15000, 20000, 50000],
    "cart_items_count": [1, 2, 3, 5, 8, 13, 21],
    "order_delivery_duration_seconds": [30, 60, 120, 180, 240, 300, 360, 480, 600],
}
# Nothing is ever observed under these without a Cassandra: they are there, and empty.
OF_CASSANDRA = {"cassandra_queries", "cassandra_query_duration_seconds"}


async def families(
    world: World, prefix: str = "/api", *, leaving_out: str = "django_http"
) -> dict[str, Metric]:
    """By name. Those of django-prometheus are many, and take long to be read."""
    answer = await world.client.get(f"{prefix}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if leaving_out not in line]
    return {each.name: each for each in text_string_to_metric_families("\n".join(lines) + "\n")}


def value(found: dict[str, Metric], sample: str, **labels: str) -> float:
    """0 for a sample that has not been counted yet."""
    samples = [each for family in found.values() for each in family.samples]
    return sum(each.value for each in samples if (each.name, each.labels) == (sample, labels))


async def buy(world: World, product: str, quantity: int) -> Any:
    await world.add(product, quantity, to="owner")
    return await world.ok("POST", "/cart-api/cart/checkout", headers=callers.user("owner"))


async def deliver(world: World, order: str) -> None:
    for status in ("PROCESSING", "SHIPPING", "DELIVERED"):
        url = f"/order-api/orders/{order}/status"
        await world.ok("PUT", url, json={"status": status}, headers=callers.admin())


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_families_are_there_with_their_labels(world: World, prefix: str) -> None:
    await deliver(world, (await buy(world, await world.product(), 1))["id"])

    found = await families(world, prefix, leaving_out="bytes_bucket")

    for name, (kind, labels) in FAMILIES.items():
        assert found[name].type == kind, name
        shown = {frozenset(each.labels.keys() - {"le"}) for each in found[name].samples}
        if name in OF_CASSANDRA and not shown:
            continue  # no test of this run has asked Cassandra for anything
        assert shown == {frozenset(labels)}, name


@pytest.mark.parametrize("name", BUCKETS)
async def test_the_buckets_are_the_contracts(world: World, name: str) -> None:
    found = (await families(world))[name]

    bounds = [float(each.labels["le"]) for each in found.samples if "le" in each.labels]
    assert bounds == [*BUCKETS[name], float("inf")]


async def test_all_five_statuses_are_counted_from_the_start(world: World) -> None:
    found = (await families(world))["orders_status"]

    statuses = {each.labels["status"] for each in found.samples if each.name.endswith("_total")}
    assert statuses == {"CREATED", "PROCESSING", "SHIPPING", "DELIVERED", "CANCELLED"}


async def test_products_are_counted_as_the_catalogue_lists_them(world: World) -> None:
    await world.product(category="Счёты")

    found = await families(world)
    categories = await world.get("/api/products/categories/list")

    assert value(found, "products_total") == (await world.get("/api/products/"))["total"]
    for each in categories:
        shown = value(found, "products_by_category", category=each["name"])
        assert shown == each["product_count"]


async def test_a_checkout_and_a_delivery_are_counted_once(world: World) -> None:
    product = await world.product(name="Редкий чай", price=12.34)
    before = await families(world)

    order = await buy(world, product, 3)
    await deliver(world, order["id"])
    after = await families(world)

    def grown(sample: str, **labels: str) -> float:
        return value(after, sample, **labels) - value(before, sample, **labels)

    assert grown("items_added_to_cart_total", product_name="Редкий чай") == 1
    assert (grown("checkouts_total"), grown("orders_created_total")) == (1, 1)
    assert grown("cart_value_cents_sum") == pytest.approx(3702)
    assert (grown("cart_value_cents_count"), grown("cart_items_count_sum")) == (1, 3)
    assert grown("cart_value_cents_bucket", le="5000.0") == 1
    assert grown("cart_value_cents_bucket", le="2500.0") == 0
    assert grown("order_revenue_cents_total") == 3702
    assert grown("order_delivery_duration_seconds_count") == 1
    for status in ("CREATED", "PROCESSING", "SHIPPING", "DELIVERED"):
        assert grown("orders_status_total", status=status) == 1
    assert grown("orders_status_total", status="CANCELLED") == 0


async def test_refused_checkouts_are_not_counted(world: World) -> None:
    await world.empty_cart("stranger")
    before = value(await families(world), "checkouts_total")

    await world.client.post("/cart-api/cart/checkout", headers=callers.user("stranger"))

    assert value(await families(world), "checkouts_total") == before


async def test_registrations_are_counted(world: World) -> None:
    before = value(await families(world), "users_registered_total")

    await world.register("counted")
    await world.client.post("/user-api/users/register", json={})

    assert value(await families(world), "users_registered_total") == before + 1


async def test_requests_are_counted_by_view_and_never_by_path(world: World) -> None:
    product = await world.product()
    await world.get(f"/api/products/{product}")
    await world.client.get("/api/nowhere/at/all")

    found = await families(world, leaving_out="_bucket")

    by_view = found["django_http_requests_total_by_view_transport_method"]
    views = {each.labels["view"] for each in by_view.samples}
    assert "catalog:product-detail" in views
    assert not {view for view in views if product in view or "nowhere" in view}
    assert views.isdisjoint({"health", "ready", "metrics"})
