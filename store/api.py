"""DRF views without thread hops, and the one table from errors to statuses."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any, ClassVar, cast
from urllib.parse import unquote_to_bytes

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, QueryDict
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters
from rest_framework import exceptions, parsers, serializers
from rest_framework.response import Response as BrowsableResponse
from rest_framework.views import APIView as DRFView

from store import errors, metrics, wire
from store.auth import CallerAuthentication
from store.http import PeerRefused
from store.lean import LeanResponse
from store.renderers import BrowsableRenderer, JSONRenderer
from store.request import Request
from store.sessions import SessionAuthentication

log = logging.getLogger(__name__)

STATUSES: dict[type[errors.ShopError], int] = {
    errors.Invalid: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.KeyReused: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
RETRY_AFTER_SECONDS = 1
MAX_REMEMBERED_QUERY = 300


class Response:
    """What a view answers: JSON data (or bytes that are JSON already), a status, headers."""

    __slots__ = ("data", "headers", "status")

    def __init__(
        self, data: Any = None, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.status = status
        self.headers = headers


class JSONParser(parsers.BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        return wire.decode(body) if body.strip() else {}


class FormParser(parsers.FormParser):
    """Refuses what is no UTF-8, where Django puts other characters in its place."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        wire.text_of(unquote_to_bytes(body))
        return super().parse(BytesIO(body), media_type, parser_context)


class MultiPartParser(parsers.MultiPartParser):
    """The same; there are no files that could hold other bytes. It wants the end, too."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        wire.text_of(body)
        _, parameters = parse_header_parameters(media_type)
        if f"--{parameters.get('boundary')}--".encode() not in body:
            raise wire.Malformed("The form is cut off, or is none at all.")
        return super().parse(BytesIO(body), media_type, parser_context)


class APIView(DRFView):
    """A DRF view whose methods are coroutines and which never leaves the event loop.

    ``inputs`` names the serializer of the body for each verb that has one.
    """

    inputs: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}
    shown: Mapping[str, Any] = {}
    http_method_names = ["get", "post", "put", "delete", "head", "options"]
    renderer_classes = [JSONRenderer, BrowsableRenderer]
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    _parsers = [parser() for parser in parser_classes]
    _authenticators: ClassVar[list[Any]] = [SessionAuthentication(), CallerAuthentication()]

    def body(self, request: Request) -> dict[str, Any]:
        """The validated body. Raises Invalid with the errors by field."""
        return _validated(self.inputs[request.method or ""], request.data)

    def query(
        self, request: Request, serializer: type[serializers.Serializer[Any]]
    ) -> dict[str, Any]:
        """The validated query string; unknown parameters are ignored."""
        text = request._request.META["QUERY_STRING"]
        # The same few come again and again, and validating one costs more than answering it.
        parse = _query if len(text) <= MAX_REMEMBERED_QUERY else _query.__wrapped__
        return dict(parse(serializer, text))

    def no_body(self, request: Request) -> None:
        """For calls that need none: nothing at all and ``{}`` are fine."""
        data = request.data
        if isinstance(data, QueryDict):
            data = {name: data[name] for name in data if name != "csrfmiddlewaretoken"}
        if data != {}:
            raise errors.Invalid("This call takes no body.", code="unexpected_body")

    async def dispatch(  # type: ignore[override]  # a coroutine where DRF has a function
        self, request: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        self.args, self.kwargs, self.headers = args, kwargs, {}
        self.request: Request = self.initialize_request(request, *args, **kwargs)
        self._negotiate(self.request)
        try:
            handler = self._handler(request)
            self._admit(self.request)
            response = await handler(self.request, *args, **kwargs)
        except Exception as error:
            response = failure(error, request)
        if isinstance(response, Response):
            return self._rendered(response)
        return response

    async def options(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        return Response({"name": self.get_view_name()}, headers={"Allow": self._allow()})

    def _handler(self, request: Any) -> Callable[..., Awaitable[Response]]:
        verb = request.method.lower()
        handler = getattr(self, verb, None) if verb in self.http_method_names else None
        if handler is None:
            raise exceptions.MethodNotAllowed(request.method)
        return handler  # type: ignore[no-any-return]

    def _negotiate(self, request: Request) -> None:
        wants_page = "text/html" in request._request.META.get("HTTP_ACCEPT", "")
        renderer = BrowsableRenderer() if wants_page else _JSON
        request.accepted_renderer = renderer
        request.accepted_media_type = renderer.media_type

    def _admit(self, request: Request) -> None:
        if request.method != "OPTIONS":
            # Bad credentials are refused also where none are needed.
            request.authenticate()
            self.check_permissions(request)

    def permission_denied(
        self, request: Any, message: str | None = None, code: str | None = None
    ) -> Any:
        caller = request.user
        if caller.username is None and caller.service is None:
            raise errors.NotAuthenticated
        raise errors.Forbidden(message)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        return Request(
            request,
            parsers=self._parsers,
            authenticators=self.get_authenticators(),
            parser_context={"view": self, "args": args, "kwargs": kwargs},
        )

    def get_permissions(self) -> Sequence[Any]:
        return _permissions_of(tuple(self.permission_classes))

    def get_parsers(self) -> list[Any]:
        return self._parsers

    def get_authenticators(self) -> list[Any]:
        return self._authenticators

    def endpoints(self) -> list[dict[str, str]]:
        """Further addresses, for whoever browses the API."""
        return []

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.Serializer[Any]:
        """For the browsable API's forms; one that changes something begins with what is there."""
        kind = self.inputs.get(self.request.method or "", serializers.Serializer)
        serializer = kind(*args, **kwargs)
        if self.request.method == "PUT":
            for name in serializer.fields.keys() & self.shown.keys():
                serializer.fields[name].initial = self.shown[name]
        return serializer

    def _allow(self) -> str:
        return ", ".join(self.allowed_methods)

    def _rendered(self, response: Response) -> HttpResponseBase:
        if response.status == 405:
            response.headers = {"Allow": self._allow()}
        renderer = getattr(self.request, "accepted_renderer", _JSON)
        if renderer is _JSON:
            return json_response(response)
        self._settle_user()
        page: Any = BrowsableResponse(
            response.data, status=response.status, headers=dict(response.headers or {})
        )
        page.accepted_renderer = renderer
        page.accepted_media_type = renderer.media_type
        page.renderer_context = self.get_renderer_context()
        return cast(HttpResponseBase, page)

    def _settle_user(self) -> None:
        """With bad credentials there is no user; a page that says so shows who is signed in."""
        try:
            self.request.user  # noqa: B018
        except errors.ShopError:
            self.request.user = cast(Any, self.request._request.user)


@cache
def _permissions_of(classes: tuple[Any, ...]) -> Sequence[Any]:
    """They hold nothing of a request: one set serves them all."""
    return [permission() for permission in classes]


_JSON = JSONRenderer()


def json_response(response: Response) -> LeanResponse:
    """The answer on the wire: JSON, and nothing at all with a 204."""
    data = response.data
    content = data if isinstance(data, bytes) else b"" if data is None else wire.encode(data)
    return LeanResponse(content, response.status, response.headers)


def failure(error: Exception, request: Any) -> Response:
    """Any exception as an answer; what nobody foresaw is logged and says nothing of the inside."""
    error = _as_shop_error(error)
    if isinstance(error, PeerRefused):
        return Response(error.body(), status=error.status, headers=error.headers)
    if isinstance(error, errors.ShopError):
        return Response(error.body(), status=status_of(error), headers=_headers(error))
    if isinstance(error, exceptions.APIException):
        body = {"detail": str(error.detail), "code": error.default_code}
        return Response(body, status=error.status_code)
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    metrics.http.count_exception(request, error)
    return our_fault()


def our_fault() -> Response:
    body = {"detail": "Something went wrong on our side.", "code": "internal_error"}
    return Response(body, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def status_of(error: errors.ShopError) -> int:
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _headers(error: errors.ShopError) -> dict[str, str]:
    if isinstance(error, errors.NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.Unavailable | errors.TooMany):
        return {"Retry-After": str(error.retry_after or RETRY_AFTER_SECONDS)}
    if isinstance(error, errors.TooLarge):
        return {"Connection": "close"}  # the rest of the body is still on its way
    return {}


def _as_shop_error(error: Exception) -> Exception:
    """The frameworks' errors, as ours."""
    match error:
        case Http404():
            return errors.NotFound()
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMedia()
        case exceptions.ParseError() | SuspiciousOperation():
            return wire.Malformed("The body could not be read.")
        case _:
            return error


@lru_cache(maxsize=1024)
def _query(serializer: type[serializers.Serializer[Any]], text: str) -> dict[str, Any]:
    return _validated(serializer, QueryDict(text))


def _validated(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    # The fields of a form look into its serializer; those of a JSON object can be shared, and
    # copying them for each request would cost five times what checking them does.
    is_form = isinstance(data, QueryDict)
    checked = serializer(data=data) if is_form else _shared(serializer)
    data = () if data is None else data  # null is no object either, and answered alike
    try:
        return checked.run_validation(data)  # type: ignore[no-any-return]
    except serializers.ValidationError as problem:
        raise errors.Invalid(errors=_flat(problem.detail)) from None


@cache
def _shared(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return serializer()


def _flat(problems: Any, prefix: str = "") -> dict[str, list[str]]:
    """Nested field errors by dotted path: ``{"items.0.quantity": ["..."]}``."""
    if isinstance(problems, Mapping):
        pairs = [(str(name), problem) for name, problem in problems.items()]
    elif all(isinstance(problem, str) for problem in problems):
        return {prefix or "body": [str(problem) for problem in problems]}
    else:
        pairs = [(str(place), problem) for place, problem in enumerate(problems)]
    flat: dict[str, list[str]] = {}
    for name, problem in pairs:
        if problem:
            flat |= _flat(problem, f"{prefix}.{name}" if prefix else name)
    return flat
