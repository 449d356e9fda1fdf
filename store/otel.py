"""Traces by OpenTelemetry, under its semantic conventions. Imported only when they are wanted.

Its SDK reads its own OTEL_... variables: endpoint, sampler, service name, sizes. Spans are sent
in batches by a thread of the SDK; its queue is bounded, and what does not fit is dropped.
"""

import asyncio
import re
import threading
from collections import OrderedDict
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from store import tracing
from store.logs.requests import UNMATCHED, route_of
from store.metrics import METHODS, NOT_COUNTED

CLOSING_SECONDS = 3.0
REMEMBERED_ORDERS = 20_000
ORDER_ID = "shop.order_id"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_W3C = TraceContextTextMapPropagator()
_PROBES = {f"/{name}" for name in NOT_COUNTED}

Attributes = dict[str, AttributeValue]


class _Span(tracing.Span):
    """A span of OpenTelemetry that is the present one while it lasts."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._has_failed = False

    def __enter__(self) -> "tracing.Span":
        self._before = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        if isinstance(kind, type):
            self._failed(kind.__name__)
        context.detach(self._before)
        self._span.end()

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._failed(str(status))

    def _failed(self, kind: str) -> None:
        """What was seen first says most."""
        if self._has_failed:
            return
        self._has_failed = True
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class _Answering(_Span):
    """A server's span: its route is known when the request has been answered."""

    def __init__(self, span: trace.Span, request: HttpRequest) -> None:
        super().__init__(span)
        self._request = request

    def answered(self, status: int) -> None:
        super().answered(status)
        route = route_of(self._request)
        if not self._span.is_recording() or route == UNMATCHED:
            return
        self._span.update_name(f"{_method(self._request.method)} {route}")
        self._span.set_attribute("http.route", route)
        match = self._request.resolver_match
        if match and "order_id" in match.kwargs:
            self._span.set_attribute(ORDER_ID, str(match.kwargs["order_id"]))


class _Calling(_Span):
    @property
    def headers(self) -> dict[str, str]:  # type: ignore[override]
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        return carried


class OtelTracer(tracing.Tracer):
    def __init__(self, service: str) -> None:
        """``service`` is its name in the traces, unless OTEL_SERVICE_NAME gives another."""
        ours = {"service.name": service, "service.namespace": "product-store"}
        resource = Resource.create(ours).merge(OTELResourceDetector().detect())
        # Its own way of ending at exit waits for half a minute.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("store")
        self._origins: OrderedDict[UUID, SpanContext] = OrderedDict()

    def request(self, request: HttpRequest) -> tracing.Span:
        if request.path_info in _PROBES:
            return super().request(request)
        attributes: Attributes = {
            "http.request.method": _method(request.method),
            "url.scheme": request.scheme or "http",
        }
        span = self._tracer.start_span(
            _method(request.method), _callers(request), SpanKind.SERVER, attributes
        )
        return _Answering(span, request)

    def call(self, peer: str, method: str, url: str) -> tracing.Span:
        if not _is_traced():
            return super().call(peer, method, url)
        parts = urlsplit(url)
        route = _UUID.sub("{id}", parts.path)
        attributes: Attributes = {
            "http.request.method": method,
            "url.full": url,
            "url.template": route,
            "server.address": parts.hostname or "",
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
            "peer.service": peer,
        }
        span = self._tracer.start_span(
            f"{method} {route}", kind=SpanKind.CLIENT, attributes=attributes
        )
        return _Calling(span)

    def statement(self, name: str) -> tracing.Span:
        if not _is_traced():
            return super().statement(name)
        attributes: Attributes = {
            "db.system.name": "cassandra",
            "db.system": "cassandra",  # its name before 2025, which many viewers look for
            "db.operation.name": name,
        }
        return _Span(
            self._tracer.start_span(f"cassandra {name}", None, SpanKind.CLIENT, attributes)
        )

    def step(self, name: str, order_id: UUID) -> tracing.Span:
        origin = self._origins.get(order_id)
        parent = context.Context()
        if origin is not None:
            parent = trace.set_span_in_context(trace.NonRecordingSpan(origin), parent)
        attributes: Attributes = {ORDER_ID: str(order_id)}
        return _Span(self._tracer.start_span(name, parent, attributes=attributes))

    def about(self, order_id: UUID) -> None:
        trace.get_current_span().set_attribute(ORDER_ID, str(order_id))

    def begins(self, order_id: UUID) -> None:
        self.about(order_id)
        present = trace.get_current_span().get_span_context()
        if present.is_valid:
            self._origins[order_id] = present
        while len(self._origins) > REMEMBERED_ORDERS:
            self._origins.popitem(last=False)

    def trace_id(self) -> str:
        present = trace.get_current_span().get_span_context()
        return trace.format_trace_id(present.trace_id) if present.is_valid else ""

    async def close(self) -> None:
        """A receiver that does not answer is not waited for."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody has waited for so long
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=end, name="traces-end", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await done.wait()
        except TimeoutError:
            return


def _callers(request: HttpRequest) -> context.Context:
    """The trace that the request belongs to, by its W3C headers; a new one without them."""
    # Not request.headers, which spells out every header first.
    if "HTTP_TRACEPARENT" not in request.META:
        return context.Context()
    carried = {
        "traceparent": request.META["HTTP_TRACEPARENT"],
        "tracestate": request.META.get("HTTP_TRACESTATE", ""),
    }
    return _W3C.extract(carried, context.Context())


def _is_traced() -> bool:
    """What goes on in the background for nobody in particular would only make traces of one."""
    return trace.get_current_span().get_span_context().is_valid


def _method(method: str | None) -> str:
    return method if method in METHODS else "_OTHER"
