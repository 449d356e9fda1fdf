"""A service's OpenAPI document and Swagger UI, both as they are seen from where the reader is."""

from copy import deepcopy
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator

from store import openapi as descriptions
from store import service, system, wire
from store.links import base_of
from store.routes import routes_within

_generating = Lock()


class Docs(TemplateView):
    """Swagger UI, from the files that drf-spectacular-sidecar brings."""

    template_name = "store/docs.html"


@csrf_exempt  # so that any other verb is a wrong verb, not a form that expired
@system.read_only
async def openapi(request: HttpRequest) -> HttpResponse:
    scope = request.scope  # type: ignore[attr-defined]
    token_url = f"{base_of('accounts', request)}/token"
    # The first time takes long enough to be felt on the event loop.
    content = await sync_to_async(document, thread_sensitive=False)(
        scope["service"], scope["root_path"], token_url, settings.DEMO
    )
    return HttpResponse(content, content_type="application/json")


@lru_cache(maxsize=16)  # only the services' own prefixes get here
def document(name: str, prefix: str, token_url: str, demo: bool) -> bytes:
    """The document as JSON, made once for each place from which it is read."""
    described = deepcopy(operations(name))
    described["info"] = {
        "title": title(name),
        "version": system.shop_version(),
        "description": _introduction(name),
    }
    described["servers"] = [{"url": prefix or "/"}]
    components = described["components"]
    components["schemas"]["Error"] = descriptions.ERROR_SCHEMA
    components["responses"] = descriptions.error_responses()
    components["securitySchemes"] = _schemes(token_url, demo=demo)
    if not demo:
        _drop_admin_header(described)
    return wire.encode(described)


def title(name: str) -> str:
    return f"Product Store: {name}"


@cache
def operations(name: str) -> dict[str, Any]:
    """Paths and schemas of the service's own endpoints."""
    # drf-spectacular keeps what it warns of and registers in places of the whole process.
    with _generating:
        generator: Any = SchemaGenerator(  # type: ignore[no-untyped-call]
            patterns=[routes_within(name)]
        )
        schema: dict[str, Any] = generator.get_schema(request=None, public=True)
    return schema


def _introduction(name: str) -> str:
    return (
        f"{service.config(name).about}\n\n"
        "Log in under **Authorize**: username and password are those of the shop. "
        "Every error has the same form, see `Error`; `X-Request-ID` of any answer finds it in "
        "the logs."
    )


def _schemes(token_url: str, *, demo: bool) -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    schemes: dict[str, Any] = {
        "password": {
            "type": "oauth2",
            "description": "Username and password of the shop; leave the client fields empty.",
            "flows": {"password": {"tokenUrl": token_url, "scopes": {}}},
        },
        "bearer": bearer | {"description": "The access_token of an answer of `POST /token`."},
        "service": bearer | {"description": "A token with which a service proves who it is."},
    }
    if demo:
        schemes["adminHeader"] = {
            "type": "apiKey",
            "in": "header",
            "name": "admin",
            "description": "Demo mode only: `true` makes anyone an admin.",
        }
    return schemes


def _drop_admin_header(described: dict[str, Any]) -> None:
    for operation in (each for ways in described["paths"].values() for each in ways.values()):
        operation["security"] = [way for way in operation["security"] if "adminHeader" not in way]
