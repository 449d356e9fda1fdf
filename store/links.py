"""Where a browser that looks at one service finds the others."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix

from store.openapi import ADMIN, USER, admits

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def base_of(service: str, request: HttpRequest) -> str:
    """The address of a service without a slash at its end; nothing for one at the root itself.

    Behind the gateway all four stand side by side; one that is addressed directly knows the
    others by the addresses in its settings alone.
    """
    scope = request.scope  # type: ignore[attr-defined]
    prefix: str = scope["root_path"]
    if service == scope["service"]:
        return prefix
    return str(settings.PREFIXES[service] if prefix else settings.REMOTE_URLS[service])


def shop(request: HttpRequest) -> dict[str, Any]:
    """For templates: the service that is looked at, its root, and all four with their addresses."""
    service = request.scope["service"]  # type: ignore[attr-defined]
    services = settings.PREFIXES if service in settings.PREFIXES else ()
    bases = {name: base_of(name, request) for name in services}
    return {"service": service, "root": get_script_prefix(), "bases": bases}


def endpoints(service: str) -> list[dict[str, str]]:
    """The API's addresses that are for people; those with a variable lead nowhere."""
    return [
        {
            "methods": " ".join(methods),
            "path": _VARIABLE.sub(r"{\1}", f"/{route}"),
            "url": "" if "<" in route else f"{get_script_prefix()}{route}",
        }
        for route, methods in _routes(service)
        if methods
    ]


def _routes(service: str) -> Iterator[tuple[str, list[str]]]:
    for pattern in import_module(f"{service}.urls").urlpatterns:
        view = pattern.callback.cls()
        methods = [each for each in view.allowed_methods if each != "OPTIONS"]
        yield str(pattern.pattern), [each for each in methods if _is_for_people(view, each)]


def _is_for_people(view: Any, method: str) -> bool:
    return admits(view, method, USER) or admits(view, method, ADMIN)
