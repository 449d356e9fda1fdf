"""HTTP metrics: django-prometheus' families, by named view, bounded in number."""

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from store.metrics import CappedLabel

FAMILIES = {
    "django_http_requests_before_middlewares": "counter",
    "django_http_responses_before_middlewares": "counter",
    "django_http_requests_latency_including_middlewares_seconds": "histogram",
    "django_http_requests_latency_seconds_by_view_method": "histogram",
    "django_http_ajax_requests": "counter",
    "django_http_requests_total_by_method": "counter",
    "django_http_requests_total_by_transport": "counter",
    "django_http_requests_total_by_view_transport_method": "counter",
    "django_http_requests_body_total_bytes": "histogram",
    "django_http_responses_total_by_status": "counter",
    "django_http_responses_total_by_status_view_method": "counter",
    "django_http_responses_body_total_bytes": "histogram",
    "django_http_responses_total_by_charset": "counter",
    "django_http_responses_streaming": "counter",
    "django_http_exceptions_total_by_type": "counter",
    "django_http_exceptions_total_by_view": "counter",
}
SEEN = "django_http_responses_total_by_status_view_method_total"


def value_of(name: str, labels: dict[str, str] | None = None) -> float:
    return REGISTRY.get_sample_value(name, labels or {}) or 0.0


def seen(view: str, *, status: int = 200, method: str = "GET") -> float:
    return value_of(SEEN, {"view": view, "status": str(status), "method": method})


async def test_the_families_have_django_prometheus_names_and_kinds(
    client: httpx.AsyncClient,
) -> None:
    await client.get("/broken")

    text = (await client.get("/metrics")).text

    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert {name: kinds.get(name) for name in FAMILIES} == FAMILIES


async def test_requests_are_counted_by_the_names_of_their_views(client: httpx.AsyncClient) -> None:
    before = seen("line-detail")

    await client.get("/lines/12345678-1234-5678-1234-567812345678")
    await client.get("/lines/87654321-1234-5678-1234-567812345678")

    assert seen("line-detail") == before + 2


async def test_what_has_no_view_is_counted_under_one_name(client: httpx.AsyncClient) -> None:
    before = seen("<unnamed view>", status=404)

    await client.get("/nowhere")
    await client.get("/nowhere/else")

    assert seen("<unnamed view>", status=404) == before + 2


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_probes_are_not_counted(client: httpx.AsyncClient, path: str) -> None:
    before = value_of("django_http_requests_before_middlewares_total")

    await client.get(path)

    assert value_of("django_http_requests_before_middlewares_total") == before


async def test_a_made_up_method_makes_no_new_label(client: httpx.AsyncClient) -> None:
    before = seen("line-list", status=405, method="<invalid method>")

    await client.request("BREW", "/lines")

    assert seen("line-list", status=405, method="<invalid method>") == before + 1


async def test_durations_and_sizes_are_observed(client: httpx.AsyncClient) -> None:
    names = ["requests_latency_including_middlewares_seconds", "requests_body_total_bytes"]
    counts = [f"django_http_{name}_count" for name in [*names, "responses_body_total_bytes"]]
    before = [value_of(name) for name in counts]
    bytes_before = value_of("django_http_requests_body_total_bytes_sum")

    await client.post("/lines", content=b'{"name":"tea","quantity":1}')

    assert [value_of(name) for name in counts] == [count + 1 for count in before]
    assert value_of("django_http_requests_body_total_bytes_sum") == bytes_before + 27


async def test_the_buckets_of_a_histogram_only_grow(client: httpx.AsyncClient) -> None:
    await client.get("/lines")
    name = "django_http_requests_latency_including_middlewares_seconds_bucket"

    family = next(f for f in REGISTRY.collect() if f.name == name.removesuffix("_bucket"))
    buckets = [sample.value for sample in family.samples if sample.name == name]

    assert buckets == sorted(buckets)
    assert buckets[-1] == value_of(name.replace("_bucket", "_count"))


def test_a_capped_label_lets_the_first_values_through_and_calls_the_rest_other() -> None:
    label = CappedLabel(limit=2)

    assert [label(value) for value in "abcabd"] == ["a", "b", "other", "a", "b", "other"]
    assert CappedLabel()._limit == 1000
