"""Traces, where OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise nothing is loaded and kept.

What the shop's modules say here is one line each; ``store.otel`` makes spans of it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


class Span:
    """A piece of work while it lasts; this one leaves no trace."""

    headers: Mapping[str, str] = {}
    """What another service has to be sent to go on with the trace."""

    def __enter__(self) -> "Span":
        return self

    def __exit__(self, *_: object) -> None:
        """A failure is noted by its kind alone: its words may hold secrets."""

    def answered(self, status: int) -> None:
        """The HTTP status that it came to."""


_UNTRACED = Span()


class Tracer:
    """Makes the spans; this one makes none."""

    def request(self, request: HttpRequest) -> Span:
        """The answering of a request, in its caller's trace where it names one."""
        return _UNTRACED

    def call(self, peer: str, method: str, url: str) -> Span:
        """A request to another service, as part of some work that is traced."""
        return _UNTRACED

    def statement(self, name: str) -> Span:
        """A statement that Cassandra carries out, as part of some work that is traced."""
        return _UNTRACED

    def step(self, name: str, order_id: UUID) -> Span:
        """Work for an order without a request, in the trace in which the order was placed."""
        return _UNTRACED

    def about(self, order_id: UUID) -> None:
        """The present work is about this order."""

    def begins(self, order_id: UUID) -> None:
        """The present work makes this order: its later steps belong to the same trace."""

    def trace_id(self) -> str:
        """Of the present work, as 32 hexadecimal digits; empty where nothing is traced."""
        return ""

    async def close(self) -> None:
        """Sends what was not sent yet, within seconds."""


tracer = Tracer()


def open_tracer(service: str) -> None:
    """Raises ImproperlyConfigured where the packages are missing."""
    global tracer
    if settings.TRACES:
        tracer = _otel_tracer(service)


async def close_tracer() -> None:
    global tracer
    closing, tracer = tracer, Tracer()
    await closing.close()


def _otel_tracer(service: str) -> Any:
    try:
        from store.otel import OtelTracer  # takes 30 MB, which only those pay who want traces
    except ImportError as error:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is not installed;"
            " install the extra packages: product-store[tracing]"
        ) from error
    return OtelTracer(service)
