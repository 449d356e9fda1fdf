"""The catalog's Prometheus metrics."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import store.cassandra.metrics  # noqa: F401  # shown from the start, on whatever store
from catalog.domain import State

MAX_CATEGORIES = 1000
OTHER = "other"

STORE_UP = Gauge("catalog_store_up", "1 while its store serves, by the kind of it.", ["store"])
UNKNOWN_RESERVATIONS = Counter(
    "reservations_unknown_total",
    "Calls about a reservation that the catalog does not know: a drift between services.",
    ["call"],
)
for _state in State:
    UNKNOWN_RESERVATIONS.labels(call=_state)  # shown from the start


class ProductCounts(Collector):
    """How many products there are, all and by category, asked at the moment of the scrape."""

    def __init__(self) -> None:
        self.ask: Callable[[], Mapping[str, int]] = dict

    def collect(self) -> Iterator[Metric]:
        counts = self.ask()
        yield GaugeMetricFamily("products_total", "Products.", value=sum(counts.values()))
        by_category = GaugeMetricFamily(
            "products_by_category", "Products by category.", labels=["category"]
        )
        for category, count in _capped(counts).items():
            by_category.add_metric([category], count)
        yield by_category


def _capped(counts: Mapping[str, int]) -> Mapping[str, int]:
    """At most 1,000 values of the label: the largest categories; the rest together are `other`."""
    if len(counts) <= MAX_CATEGORIES:
        return counts
    largest = sorted(counts, key=lambda name: (-counts[name], name))
    shown = {name: counts[name] for name in largest[: MAX_CATEGORIES - 1]}
    rest = sum(counts[name] for name in largest[MAX_CATEGORIES - 1 :])
    return shown | {OTHER: rest + shown.get(OTHER, 0)}


PRODUCT_COUNTS = ProductCounts()
REGISTRY.register(PRODUCT_COUNTS)
