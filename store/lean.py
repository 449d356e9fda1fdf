"""Django's request and response as the JSON API needs them, made at a third of the price.

They are Django's in all that is read of them, by views, DRF and middleware; only the making
differs. Django's own cost 20 and 25 us of a request's 95.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.http.response import ResponseHeaders

Headers = list[tuple[bytes, bytes]]


class Utf8Request(ASGIRequest):
    """Reads forms as UTF-8 whatever charset they name: some names are no charset at all."""

    def _set_content_type_params(self, meta: Any) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # the stubs leave it out
        except ValueError:  # a parameter says that it is spelled in an encoding that there is none
            meta["CONTENT_TYPE"] = self.content_type = "unreadable"
            self.content_params = {}
        self._encoding = None


class LeanRequest(Utf8Request):
    """A request whose body has been read. Raises UnicodeDecodeError for a query no UTF-8."""

    def __init__(self, scope: dict[str, Any], body: bytes) -> None:
        # All that ASGIRequest sets, in its order; it offers no way to set less.
        self.scope = scope
        self._post_parse_error = False
        self._read_started = False
        self.resolver_match = None
        self.path = scope["path"]
        self.script_name = scope["root_path"]
        self.path_info = self.path.removeprefix(self.script_name)
        self.method = scope["method"].upper()
        self.META = self._meta(scope)
        # A chunked body says nothing of its length, and DRF takes that for none.
        self.META["CONTENT_LENGTH"] = str(len(body))
        if "CONTENT_TYPE" in self.META:
            self._set_content_type_params(self.META)
        else:
            self.content_type, self.content_params = "", {}
        self._stream = BytesIO(body)

    def _meta(self, scope: dict[str, Any]) -> dict[str, Any]:
        client, server = scope.get("client") or ("", 0), scope.get("server") or ("unknown", 0)
        meta = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": scope["query_string"].decode(),
            "SCRIPT_NAME": self.script_name,
            "PATH_INFO": self.path_info,
            "REMOTE_ADDR": client[0],
            "REMOTE_HOST": client[0],
            "REMOTE_PORT": client[1],
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
        }
        for name, value in scope["headers"]:
            if key := _meta_key(name):
                text = value.decode("latin1")
                meta[key] = f"{meta[key]},{text}" if key in meta else text
        return meta


@lru_cache(maxsize=256)
def _meta_key(name: bytes) -> str:
    """The header's place in META; none for a name that could pass for another's."""
    text = name.decode("latin1")
    if "_" in text:
        return ""
    if text in ("content-length", "content-type"):
        return text.upper().replace("-", "_")
    return "HTTP_" + text.upper().replace("-", "_")


class _Headers(ResponseHeaders):
    """Takes what is known to be plain without looking at each character."""

    def __init__(self) -> None:
        self._store: dict[str, tuple[str, str]] = {}

    def put(self, name: str, value: str) -> None:
        """``name`` and ``value`` are ours: Latin-1 without line breaks."""
        self._store[name.lower()] = (name, value)

    def encoded(self) -> Headers:
        return [
            (name.encode("latin1"), value.encode("latin1"))
            for name, (_, value) in self._store.items()
        ]


class LeanResponse(HttpResponse):
    """JSON, whole and in bytes."""

    headers: _Headers
    content: bytes = b""
    _charset = "utf-8"
    _reason_phrase = None
    _handler_class = None
    closed = False

    def __init__(self, content: bytes, status: int, headers: Mapping[str, str] | None) -> None:
        self.status_code = int(status)
        self.content = content
        self.headers = _Headers()
        if status != 204:
            self.headers.put("Content-Type", "application/json")
            self.headers.put("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.headers[name] = value

    @cached_property
    def cookies(self) -> SimpleCookie:  # type: ignore[override]
        return SimpleCookie()

    @cached_property
    def _resource_closers(self) -> list[Any]:
        return []

    async def send(self, send: Any) -> None:
        """As ASGI messages."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.headers.encoded(),
        }
        await send(start)
        await send({"type": "http.response.body", "body": self.content})
