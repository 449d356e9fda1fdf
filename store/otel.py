"""Traces by OpenTelemetry, under its semantic conventions. Imported only when they are wanted.

Its SDK reads its own OTEL_... variables: endpoint, sampler, service name, sizes. Spans are sent
in batches by a thread of the SDK; its queue is bounded, and what does not fit is dropped.

A request that is not sampled makes no span at all, not even one that records nothing: the sampler
is asked first, and all that stays of the request is its trace's id, for logs and calls.
"""

import asyncio
import re
import threading
from collections import OrderedDict
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceState
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
_NOBODY = context.Context()
_unsampled: ContextVar["_Unsampled | None"] = ContextVar("unsampled", default=None)

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


class _Unsampled(tracing.Span):
    """A request of which nothing is kept; whom it calls is told to keep nothing, either."""

    def __init__(self, trace_id: int, state: TraceState | None) -> None:
        self.trace_id = trace_id
        self._state = state

    def __enter__(self) -> tracing.Span:
        self._before = _unsampled.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _unsampled.reset(self._before)

    @cached_property
    def context(self) -> SpanContext:
        """Made only for those who call another service, or place an order."""
        own = _IDS.generate_span_id()
        return SpanContext(self.trace_id, own, is_remote=False, trace_state=self._state)


class _Answering(_Span):
    """A server's span: its route is known when the request has been answered."""

    def __init__(self, span: trace.Span, request: HttpRequest) -> None:
        super().__init__(span)
        self._request = request

    def answered(self, status: int) -> None:
        super().answered(status)
        route = route_of(self._request)
        if route == UNMATCHED:
            return
        self._span.update_name(f"{_method(self._request.method)} {route}")
        self._span.set_attribute("http.route", route)
        match = self._request.resolver_match
        if match and "order_id" in match.kwargs:
            self._span.set_attribute(ORDER_ID, str(match.kwargs["order_id"]))


class _Calling(_Span):
    @property
    def headers(self) -> dict[str, str]:  # type: ignore[override]
        return _headers(context.get_current())


class _CallingUnsampled(tracing.Span):
    def __init__(self, origin: SpanContext) -> None:
        self.headers = _headers(_context_of(origin))


class _Ids(RandomIdGenerator):
    """Random ids; a trace has the one by which it was decided to keep it."""

    decided: int | None = None

    def generate_trace_id(self) -> int:
        decided, self.decided = self.decided, None
        return decided or super().generate_trace_id()


_IDS = _Ids()


class OtelTracer(tracing.Tracer):
    def __init__(self, service: str) -> None:
        """``service`` is its name in the traces, unless OTEL_SERVICE_NAME gives another."""
        ours = {"service.name": service, "service.namespace": "product-store"}
        resource = Resource.create(ours).merge(OTELResourceDetector().detect())
        # Its own way of ending at exit waits for half a minute.
        self._provider = TracerProvider(
            resource=resource, id_generator=_IDS, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("store")
        self._origins: OrderedDict[UUID, SpanContext] = OrderedDict()

    def request(self, request: HttpRequest) -> tracing.Span:
        if request.path_info in _PROBES:
            return super().request(request)
        name, parent = _method(request.method), _callers(request)
        trace_id = _trace_id(parent) or _IDS.generate_trace_id()
        asked = self._provider.sampler.should_sample(parent, trace_id, name, SpanKind.SERVER)
        if asked.decision is Decision.DROP:
            return _Unsampled(trace_id, asked.trace_state)
        attributes: Attributes = {
            "http.request.method": name,
            "url.scheme": request.scheme or "http",
        }
        _IDS.decided = None if parent else trace_id
        return _Answering(
            self._tracer.start_span(name, parent, SpanKind.SERVER, attributes), request
        )

    def call(self, peer: str, method: str, url: str) -> tracing.Span:
        if not _is_traced():
            if unsampled := _unsampled.get():
                return _CallingUnsampled(unsampled.context)
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
        parent = _NOBODY if origin is None else _context_of(origin)
        attributes: Attributes = {ORDER_ID: str(order_id)}
        return _Span(self._tracer.start_span(name, parent, attributes=attributes))

    def about(self, order_id: UUID) -> None:
        trace.get_current_span().set_attribute(ORDER_ID, str(order_id))

    def begins(self, order_id: UUID) -> None:
        self.about(order_id)
        present = trace.get_current_span().get_span_context()
        unsampled = _unsampled.get()
        if present.is_valid:
            self._origins[order_id] = present
        elif unsampled:
            self._origins[order_id] = unsampled.context
        while len(self._origins) > REMEMBERED_ORDERS:
            self._origins.popitem(last=False)

    def trace_id(self) -> str:
        unsampled = _unsampled.get()
        number = _trace_id(context.get_current()) or (unsampled.trace_id if unsampled else 0)
        return f"{number:032x}" if number else ""

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
    """The trace that the request belongs to, by its W3C headers; empty without them."""
    # Not request.headers, which spells out every header first.
    if "HTTP_TRACEPARENT" not in request.META:
        return _NOBODY
    carried = {
        "traceparent": request.META["HTTP_TRACEPARENT"],
        "tracestate": request.META.get("HTTP_TRACESTATE", ""),
    }
    return _W3C.extract(carried, _NOBODY)


def _context_of(origin: SpanContext) -> context.Context:
    return trace.set_span_in_context(trace.NonRecordingSpan(origin), _NOBODY)


def _headers(present: context.Context) -> dict[str, str]:
    carried: dict[str, str] = {}
    _W3C.inject(carried, present)
    return carried


def _trace_id(present: context.Context) -> int:
    """0 where there is none."""
    return trace.get_current_span(present).get_span_context().trace_id


def _is_traced() -> bool:
    """What goes on in the background for nobody in particular would only make traces of one."""
    return _trace_id(context.get_current()) != 0


def _method(method: str | None) -> str:
    return method if method in METHODS else "_OTHER"
