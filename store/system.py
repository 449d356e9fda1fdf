"""What every service answers about itself: root, health, readiness, metrics."""

from collections.abc import Callable, Coroutine
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.exceptions import MethodNotAllowed

from store import answers, api, links, service
from store.errors import Unavailable
from store.permissions import AllowAny
from store.request import Request

View = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]


class Root(api.APIView):
    """One of the shop's services, and where to look further."""

    name = "Start"
    permission_classes = [AllowAny]
    schema = None

    async def get(self, request: Request) -> answers.Response:
        name, prefix = request.service, request.META["SCRIPT_NAME"]
        return answers.Response(
            {
                "service": name,
                "version": shop_version(),
                "about": service.config(name).about,
                "docs": f"{prefix}/docs/",
                "openapi": f"{prefix}/openapi.json",
                "admin": f"{prefix}/admin/",
                "login": f"{prefix}/login/",
                "demo": settings.DEMO,
            }
        )

    def endpoints(self) -> list[dict[str, str]]:
        return links.endpoints(self.request.service)


def shop_version() -> str:
    try:
        return version("product-store")
    except PackageNotFoundError:
        return "0.1.0"


def read_only(view: View) -> View:
    """405 for all but GET and HEAD."""

    @wraps(view)
    async def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return await view(request)
        refusal = answers.json_response(
            answers.failure(MethodNotAllowed(str(request.method)), request)
        )
        refusal["Allow"] = "GET, HEAD"
        return refusal

    return guarded


@read_only
async def health(request: HttpRequest) -> HttpResponse:
    """Liveness: this process answers, whatever the others do."""
    name = request.scope["service"]  # type: ignore[attr-defined]
    return answers.json_response(answers.Response({"status": "ok", "service": name}))


@read_only
async def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: 200 when traffic may come, 503 with the reason otherwise."""
    name = request.scope["service"]  # type: ignore[attr-defined]
    reason = service.state.why_unready(name)
    if reason is None:
        return answers.json_response(answers.Response({"status": "ready", "service": name}))
    error = Unavailable(reason, facts={"status": "unready", "service": name})
    return answers.json_response(answers.failure(error, request))


@read_only
async def metrics(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
