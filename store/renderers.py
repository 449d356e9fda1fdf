"""How answers look: JSON to programs, the browsable API to people."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson
from rest_framework.exceptions import APIException
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request, override_method

from store import wire
from store.errors import ShopError


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Indented: the fast path encodes by itself, this one is looked at by people."""
        if data is None:
            return b""
        encoded = data if isinstance(data, bytes) else wire.encode(data)
        return orjson.dumps(orjson.loads(encoded), option=orjson.OPT_INDENT_2)


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's browsable API over our JSON and our permissions."""

    renderer_context: dict[str, Any]

    def get_default_renderer(self, view: Any) -> BaseRenderer:
        return JSONRenderer()

    def show_form_for_method(self, view: Any, method: str, request: Request, obj: Any) -> bool:
        if method not in view.allowed_methods:
            return False
        with suppress(ShopError):
            view.check_permissions(request)
            return True
        return False

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        """A form with what was sent and refused, else with what is there to be changed."""
        status = self.renderer_context["response"].status_code
        is_repeated = request.method == method and status == HTTPStatus.BAD_REQUEST
        with override_method(view, request, method) as as_method:
            if method == "OPTIONS" or not self.show_form_for_method(view, method, as_method, None):
                return None
            if method == "DELETE":
                return True
            sent = {"data": _sent(as_method)} if is_repeated else {}
            return self.render_form_for_serializer(view.get_serializer(**sent))

    def get_context(self, data: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        view = self.renderer_context["view"]
        view.shown = _plain(data)
        context: dict[str, Any] = super().get_context(data, *args, **kwargs)
        return context | {"endpoints": view.endpoints()}

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        return None if method == "PATCH" else super().get_raw_data_form(data, view, method, request)


def _sent(request: Request) -> Any:
    with suppress(ShopError, APIException):
        return request.data
    return {}


def _plain(data: Any) -> dict[str, Any]:
    decoded = wire.decode(wire.encode(data)) if isinstance(data, orjson.Fragment) else data
    return decoded if isinstance(decoded, dict) else {}
