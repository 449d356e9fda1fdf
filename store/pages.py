"""The pages of a service: documentation, sign-in, admin, and what goes wrong, readable."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import async_only_middleware

from store import answers, docs, signin
from store.errors import Forbidden, Invalid, ShopError
from store.sessions import FormExpired
from store.urls import urls_of

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# Nothing comes from another host, and no page runs a script that stands in it: what a product's
# name or a cart smuggles in is text and stays text. The style attributes are Swagger UI's.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'{elsewhere}; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class PageUrls:
    """The URLconf of a service for people: its API, which they can browse, and its pages."""

    handler400 = "store.pages.bad_request"
    handler403 = "store.pages.forbidden"
    handler404 = "store.pages.not_found"
    handler500 = "store.pages.our_fault"

    def __init__(self, service: str) -> None:
        admin = import_module(f"{service}.admin")
        self.urlpatterns: list[URLPattern | URLResolver] = [
            *urls_of(service).urlpatterns,
            path("openapi.json", docs.openapi, name="openapi"),
            path("docs/", docs.Docs.as_view(), name="docs"),
            path("login/", signin.SignIn.as_view(), name="login"),
            path("logout/", signin.sign_out, name="logout"),
            path("admin/", admin.site.urls),
        ]


def failed(request: HttpRequest, error: Exception | None) -> HttpResponse:
    """An error as a small page for a browser and as JSON for anything else; None: our fault.

    What nobody foresaw has been logged by Django already.
    """
    answer = answers.our_fault() if error is None else answers.failure(error, request)
    if "text/html" not in request.META.get("HTTP_ACCEPT", ""):
        return answers.json_response(answer)
    reason = HTTPStatus(answer.status).phrase
    context = {"error": answer.data, "status": answer.status, "reason": reason}
    page = render_to_string("store/error.html", context, request)
    return HttpResponse(page, status=answer.status, headers=dict(answer.headers or {}))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failed(request, exception if isinstance(exception, ShopError) else Invalid())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failed(request, exception if isinstance(exception, ShopError) else Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failed(request, exception)


def our_fault(request: HttpRequest) -> HttpResponse:
    return failed(request, None)


def form_expired(request: HttpRequest, **_: str) -> HttpResponse:
    return failed(request, FormExpired())


@async_only_middleware
def guarded(get_response: GetResponse) -> GetResponse:
    """The headers of pages, and the shop's own errors as error pages."""

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        scope = request.scope  # type: ignore[attr-defined]
        # Swagger UI asks accounts for a token: elsewhere when no gateway stands before us.
        elsewhere = "" if scope["root_path"] else f" {settings.REMOTE_URLS['accounts']}"
        response.headers.setdefault(
            "Content-Security-Policy", CONTENT_POLICY.format(elsewhere=elsewhere)
        )
        # Pages show what belongs to somebody; they are not for the next one at this screen.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    middleware.process_exception = _process_exception  # type: ignore[attr-defined]
    return middleware


def _process_exception(request: HttpRequest, exception: Exception) -> Any:
    return failed(request, exception) if isinstance(exception, ShopError) else None
