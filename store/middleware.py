"""What every answer carries and every request leaves behind: an id, a count, a duration."""

import random
import re
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, cast

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import async_only_middleware

from store import metrics, tracing
from store.correlation import Exchange, request_id
from store.lean import LeanResponse

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

_WELL_FORMED = re.compile(r"[A-Za-z0-9_.\-]{8,64}", re.ASCII)


@async_only_middleware
def observed(get_response: GetResponse) -> GetResponse:
    """Outermost on both paths, API and pages."""
    demo = settings.DEMO

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        started_at = perf_counter()
        name = _request_id(request)
        request_id.set(name)
        exchange: Exchange = request.scope["exchange"]  # type: ignore[attr-defined]
        exchange.request, exchange.request_id = request, name
        metrics.http.in_flight += 1
        try:
            response = await get_response(request)
        finally:
            metrics.http.in_flight -= 1
        exchange.status = response.status_code
        put = _put_into(response)
        put("X-Request-ID", name)
        put("X-Content-Type-Options", "nosniff")
        if demo:
            put("X-Store-Demo", "1")
        metrics.http.count(request, response, seconds=perf_counter() - started_at)
        return response

    return middleware


def _put_into(response: HttpResponseBase) -> Callable[[str, str], None]:
    """How to give it headers that are known to be sound."""
    if isinstance(response, LeanResponse):
        return response.headers.put
    return response.headers.__setitem__


def _request_id(request: HttpRequest) -> str:
    """The gateway's or caller's, where it looks like one; it goes into logs and headers."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _WELL_FORMED.fullmatch(given) else f"{random.getrandbits(128):032x}"


@async_only_middleware
def traced(get_response: GetResponse) -> GetResponse:
    """Only where traces are wanted: each request is a span, in its caller's trace."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        with tracing.tracer.request(request) as span:
            request.scope["exchange"].trace_id = tracing.tracer.trace_id()  # type: ignore[attr-defined]
            response = await get_response(request)
            span.answered(response.status_code)
        return response

    return middleware


@async_only_middleware
def cors(get_response: GetResponse) -> GetResponse:
    """django-cors-headers for requests that name an origin; the others need not pay for it."""
    cross_origin = CorsMiddleware(get_response)

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META:
            return cast(HttpResponseBase, await cast(Any, cross_origin(request)))
        return await get_response(request)

    return middleware
