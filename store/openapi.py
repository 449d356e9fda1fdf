"""How one operation of the API is described: who may call it, and what can go wrong."""

import re
from collections.abc import Iterator
from typing import Any, cast

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request

from store.auth import NOBODY, Caller

SERVICES = ("catalog", "carts", "orders", "accounts")
# One caller of each kind; a permission says by itself which of them it lets in.
USER = Caller(username="user")
ADMIN = Caller(username="admin", is_admin=True)
ADMIN_ROLE = Caller(is_admin=True)

ERRORS = {
    "400": "The request is malformed or breaks a rule of its own.",
    "401": "There are no credentials, or bad ones.",
    "403": "The caller may not do this.",
    "404": "There is no such thing.",
    "409": "This conflicts with the present state.",
    "413": "The body is larger than 256 KiB.",
    "415": "The body's media type is not understood.",
    "422": "The Idempotency-Key came with another body before.",
    "429": "Too many requests; `Retry-After` says when to come back.",
    "503": "A service or a store that is needed is away; `Retry-After` says when to come back.",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}
_HEADERS = {
    "401": {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}},
    "429": _RETRY_AFTER,
    "503": _RETRY_AFTER,
}
_ERROR_BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}

ERROR_SCHEMA = {
    "type": "object",
    "description": "Every error. Some add facts for programs, as `available` or `prices`.",
    "properties": {
        "detail": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "A word for programs."},
        "errors": {
            "type": "object",
            "description": "What is wrong, by field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["detail", "code"],
    "example": {"detail": "There is nothing here.", "code": "not_found"},
    "additionalProperties": True,
}


def error_responses() -> dict[str, Any]:
    """The document's ``components.responses``."""
    return {
        f"Error{status}": {"description": text, "content": _ERROR_BODY}
        | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
        for status, text in ERRORS.items()
    }


def admits(view: Any, method: str, caller: Caller) -> bool:
    """Whether the view's permissions let this caller in."""
    http_request = HttpRequest()
    http_request.method = method
    request: Any = Request(http_request)
    request.user = caller
    return all(each.has_permission(request, view) for each in view.get_permissions())


class Schema(AutoSchema):
    """Reads from a view of ``store.api`` what its author then need not repeat."""

    def get_operation_id(self) -> str:
        words = re.findall(r"[a-z0-9]+", self.path)
        return self.method.lower() + "".join(map(str.capitalize, words))

    def get_description(self) -> str:  # type: ignore[override]
        """Who may call. Docstrings speak to whoever reads the code."""
        return self._audience_sentence()

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation and (sentence := self._audience_sentence()) not in operation["description"]:
            operation["description"] += f"\n\n{sentence}"
        return operation

    def get_tags(self) -> list[str]:
        return ["between-services"] if self._is_for_services() else super().get_tags()

    def get_extensions(self) -> dict[str, Any]:
        services = self._services()
        return {"x-internal": True, "x-callers": services} if self._is_for_services() else {}

    def get_request_serializer(self) -> Any:
        return cast(Any, self.view).inputs.get(self.method)

    def get_auth(self) -> list[dict[str, list[str]]]:
        super().get_auth()  # registers the schemes
        if self._is_for_services():
            return [{"service": []}]
        schemes: list[dict[str, list[str]]] = [{"password": []}, {"bearer": []}]
        if not self._admits(NOBODY) and self._admits(ADMIN_ROLE):
            schemes.append({"adminHeader": []})
        return [*schemes, {}] if self._admits(NOBODY) else schemes

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status in self._errors():
            bodies.setdefault(status, {"$ref": f"#/components/responses/Error{status}"})
        bodies.setdefault("default", {"description": "Any other error.", "content": _ERROR_BODY})
        return {status: bodies[status] for status in sorted(bodies)}

    def _errors(self) -> Iterator[str]:
        parameters = {parameter["name"] for parameter in self._get_parameters()}
        has_body = self.method in ("POST", "PUT")
        if has_body or parameters - set(re.findall(r"{(\w+)}", self.path)):
            yield "400"
        yield "401"  # bad credentials are refused where none are needed, too
        if not self._admits(NOBODY):
            yield "403"
        if "{" in self.path:
            yield "404"
        if self.method != "GET":
            yield "409"
        if has_body:
            yield from ("413", "415")
        if "Idempotency-Key" in parameters:
            yield "422"
        yield "503"

    def _audience_sentence(self) -> str:
        if self._is_for_services():
            callers = self._services()
            who = "the shop's services" if len(callers) == len(SERVICES) else ", ".join(callers)
            return f"For {who} only: with a service token, and not through the gateway."
        if self._admits(NOBODY):
            return "For anyone."
        return "For users." if self._admits(USER) else "For admins."

    def _is_for_services(self) -> bool:
        return bool(self._services()) and not self._admits(USER) and not self._admits(ADMIN)

    def _services(self) -> list[str]:
        return [name for name in SERVICES if self._admits(Caller(service=name, username="user"))]

    def _admits(self, caller: Caller) -> bool:
        return admits(self.view, self.method, caller)


class CallerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The ways to say who is calling; where tokens are had is filled in by ``store.docs``."""

    target_class = "store.auth.CallerAuthentication"
    match_subclasses = True
    name = ["password", "bearer", "service"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return None

    def get_security_definition(self, auto_schema: Any) -> Any:
        return [{}, {}, {}]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browsable API's own; not for programs, and so in no document."""

    target_class = "store.sessions.SessionAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return None

    def get_security_definition(self, auto_schema: Any) -> Any:
        return []
