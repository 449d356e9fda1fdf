"""The HTTP metrics of django-prometheus: its families, counted by a few additions a request.

Its middlewares hop to a thread five times and touch some twenty metrics. All of these follow
from three facts about each (view, method, transport, status): how many, how long, how large.
Those are kept here and turned into the families when Prometheus asks.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import REGISTRY
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from store.admission import admission

OTHER = "other"
UNNAMED = "<unnamed view>"
NOT_COUNTED = {"health", "ready", "metrics"}
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"}
SECONDS: tuple[float, ...] = settings.PROMETHEUS_LATENCY_BUCKETS
BYTES: tuple[float, ...] = (*(2.0**power for power in range(30)), float("inf"))

HELP = "As django-prometheus describes it."

Labels = tuple[str, str, str, int]  # view, method, transport, status


class CappedLabel:
    """Lets the first ``limit`` values of a label through; the rest is ``other``."""

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value not in self._known:
            if len(self._known) >= self._limit:
                return OTHER
            self._known.add(value)
        return value


class _Histogram:
    """Observations by bucket; only ever touched on the event loop or merged for an answer."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add(self, other: "_Histogram") -> None:
        self.counts = [
            mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)
        ]
        self.sum += other.sum

    def buckets(self) -> list[tuple[str, float]]:
        reached, buckets = 0, []
        for bound, count in zip(self.bounds, self.counts, strict=True):
            reached += count
            buckets.append(("+Inf" if bound == float("inf") else repr(bound), float(reached)))
        return buckets


class _Series:
    """All requests of one view, method, transport and status."""

    __slots__ = ("ajax", "request_bytes", "requests", "response_bytes", "seconds", "streams")

    def __init__(self) -> None:
        self.requests = 0
        self.ajax = 0
        self.streams = 0
        self.seconds = _Histogram(SECONDS)
        self.request_bytes = _Histogram(BYTES)
        self.response_bytes = _Histogram(BYTES)


class HttpMetrics(Collector):
    """Counts requests, and answers Prometheus with django-prometheus' families."""

    def __init__(self) -> None:
        self._series: defaultdict[Labels, _Series] = defaultdict(_Series)
        self._exceptions: defaultdict[tuple[str, str], int] = defaultdict(int)

    def count(self, request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
        """Counts one request that was answered, by the name of its view."""
        method = request.method if request.method in METHODS else "<invalid method>"
        scheme = request.scheme or "http"
        series = self._series[_view_name(request), method or "", scheme, response.status_code]
        series.requests += 1
        series.seconds.observe(seconds)
        series.request_bytes.observe(int(request.META.get("CONTENT_LENGTH") or 0))
        if "HTTP_X_REQUESTED_WITH" in request.META:
            series.ajax += 1
        if response.streaming:
            series.streams += 1
        else:
            series.response_bytes.observe(len(response.content))  # type: ignore[attr-defined]

    def count_turned_away(self, method: str, transport: str) -> None:
        """Counts one request that was answered 503 before anything was made of it."""
        known = method if method in METHODS else "<invalid method>"
        self._series[UNNAMED, known, transport, 503].requests += 1

    def count_exception(self, request: HttpRequest, error: BaseException) -> None:
        """Counts an exception that nobody foresaw."""
        self._exceptions[type(error).__name__, _view_name(request)] += 1

    def collect(self) -> Iterator[Metric]:
        series = [kept for kept in self._series.items() if _is_counted(kept[0])]
        yield from _counters(series)
        yield from _histograms(series)
        exceptions = list(self._exceptions.items())
        by_type = [((kind,), number) for (kind, _), number in exceptions]
        by_view = [((view,), number) for (_, view), number in exceptions]
        yield _counter("django_http_exceptions_total_by_type", ("type",), by_type)
        yield _counter("django_http_exceptions_total_by_view", ("view",), by_view)
        # The request that asks for the metrics is under way itself.
        others = max(0, admission.in_hand - 1)
        yield GaugeMetricFamily(
            "http_requests_in_flight", "API requests being answered.", value=others
        )


def _view_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name if match else None) or UNNAMED


def _is_counted(of: Labels) -> bool:
    return of[0].rpartition(":")[2] not in NOT_COUNTED


Kept = list[tuple[Labels, _Series]]
Pick = Callable[[Labels], tuple[str, ...]]

_COUNTERS: dict[str, tuple[tuple[str, ...], Pick]] = {
    "requests_before_middlewares_total": ((), lambda _: ()),
    "responses_before_middlewares_total": ((), lambda _: ()),
    "requests_total_by_method": (("method",), lambda of: (of[1],)),
    "requests_total_by_transport": (("transport",), lambda of: (of[2],)),
    "requests_total_by_view_transport_method": (
        ("view", "transport", "method"),
        lambda of: (of[0], of[2], of[1]),
    ),
    "responses_total_by_status": (("status",), lambda of: (str(of[3]),)),
    "responses_total_by_status_view_method": (
        ("status", "view", "method"),
        lambda of: (str(of[3]), of[0], of[1]),
    ),
    "responses_total_by_charset": (("charset",), lambda _: ("utf-8",)),
}
_HISTOGRAMS: dict[str, tuple[str, tuple[str, ...], Pick]] = {
    "requests_latency_including_middlewares_seconds": ("seconds", (), lambda _: ()),
    "requests_latency_seconds_by_view_method": (
        "seconds",
        ("view", "method"),
        lambda of: (of[0], of[1]),
    ),
    "requests_body_total_bytes": ("request_bytes", (), lambda _: ()),
    "responses_body_total_bytes": ("response_bytes", (), lambda _: ()),
}


def _counters(kept: Kept) -> Iterator[Metric]:
    for name, (labels, pick) in _COUNTERS.items():
        values = [(pick(of), series.requests) for of, series in kept]
        if labels == ("status",):
            values.append((("500",), 0))  # a first one would not look like a change
        yield _counter(f"django_http_{name}", labels, values)
    sums = {"responses_streaming_total": "streams", "ajax_requests_total": "ajax"}
    for name, what in sums.items():
        yield _counter(f"django_http_{name}", (), [((), getattr(each, what)) for _, each in kept])


def _histograms(kept: Kept) -> Iterator[Metric]:
    for name, (what, labels, pick) in _HISTOGRAMS.items():
        merged: dict[tuple[str, ...], _Histogram] = {}
        for of, series in kept:
            histogram: Any = getattr(series, what)
            merged.setdefault(pick(of), _Histogram(histogram.bounds)).add(histogram)
        family = HistogramMetricFamily(f"django_http_{name}", HELP, labels=labels)
        for values, histogram in merged.items():
            family.add_metric(values, histogram.buckets(), histogram.sum)
        yield family


def _counter(
    name: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], int]]
) -> Metric:
    totals: defaultdict[tuple[str, ...], int] = defaultdict(int)
    if not labels:
        totals[()] = 0
    for of, number in values:
        totals[of] += number
    family = CounterMetricFamily(name, HELP, labels=labels)
    for of, number in totals.items():
        family.add_metric(of, number)
    return family


http = HttpMetrics()
REGISTRY.register(http)
