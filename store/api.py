"""DRF views without thread hops."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, ClassVar, cast

from django.http import QueryDict
from django.http.response import HttpResponseBase
from rest_framework import exceptions, serializers
from rest_framework.response import Response as BrowsableResponse
from rest_framework.views import APIView as DRFView

from store import errors
from store.answers import Response, failure, json_response
from store.auth import CallerAuthentication
from store.inputs import FormParser, JSONParser, MultiPartParser, validated, validated_query
from store.renderers import BrowsableRenderer, JSONRenderer
from store.request import Request
from store.sessions import SessionAuthentication

_JSON = JSONRenderer()


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

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """DRF's, without the coroutine around it that says no CSRF token is needed."""

        @wraps(super().as_view(**initkwargs))
        def view(request: Any, **kwargs: Any) -> Any:
            made = cls(**initkwargs)
            made.setup(request, **kwargs)
            return made.dispatch(request, **kwargs)

        return view

    def body(self, request: Request) -> dict[str, Any]:
        """The validated body. Raises Invalid with the errors by field."""
        return validated(self.inputs[request.method or ""], request.data)

    def query(
        self, request: Request, serializer: type[serializers.Serializer[Any]]
    ) -> dict[str, Any]:
        """The validated query string; unknown parameters are ignored."""
        return dict(validated_query(request._request.META["QUERY_STRING"], serializer))

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
            authenticators=self._authenticators,
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
