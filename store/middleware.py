"""What every answer carries and every request leaves behind: an id, a count, a duration."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, cast

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import async_only_middleware

from store import metrics, tracing
from store.correlation import Exchange, request_id, request_id_of
from store.lean import Headers, LeanResponse, as_text

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def observed(get_response: GetResponse) -> GetResponse:
    """Outermost on both paths, API and pages."""
    marks = marks_of_all(is_demo=settings.DEMO)

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        started_at = perf_counter()
        name = request_id_of(request.META.get("HTTP_X_REQUEST_ID", ""))
        request_id.set(name)
        exchange: Exchange = request.scope["exchange"]  # type: ignore[attr-defined]
        exchange.request, exchange.request_id = request, name
        response = await get_response(request)
        exchange.status = response.status_code
        _put(response, [(b"x-request-id", name.encode()), *marks])
        metrics.http.count(request, response, seconds=perf_counter() - started_at)
        return response

    return middleware


def marks_of_all(*, is_demo: bool) -> Headers:
    """The headers that every answer has."""
    nosniff = (b"x-content-type-options", b"nosniff")
    return [nosniff, (b"x-store-demo", b"1")] if is_demo else [nosniff]


def _put(response: HttpResponseBase, headers: Headers) -> None:
    if isinstance(response, LeanResponse):
        response.put(headers)
        return
    for name, value in as_text(headers).items():
        response.headers[name] = value


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
