"""The request as views see it: DRF's, with a Caller for its user."""

from typing import TYPE_CHECKING, Any, cast

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Empty
from rest_framework.request import Request as DRFRequest

from store.auth import Caller

_NEGOTIATOR = DefaultContentNegotiation()  # it chooses the parser, and keeps nothing


class Request(DRFRequest):
    """What every request is asked for stands here; DRF feels its way to Django's request."""

    if TYPE_CHECKING:
        user: Caller  # type: ignore[assignment]
    else:

        @property
        def user(self) -> Caller:
            return self.__dict__.get("_user") or super().user

        @user.setter
        def user(self, user: Caller) -> None:
            self._user = self._request.user = user

        @property
        def META(self) -> dict[str, Any]:  # noqa: N802  # Django's name
            return self._request.META

        @property
        def method(self) -> str | None:
            return self._request.method

    # What DRF's sets anew for each request, but for what its parsers are told: that holds the
    # view, which holds the request, a ring that only the garbage collector could undo.
    negotiator = _NEGOTIATOR
    _data = _files = _full_data = _content_type = _stream = cast(Any, Empty)

    def __init__(self, request: Any, *, parsers: list[Any], authenticators: list[Any]) -> None:
        self._request = request
        self.parsers = parsers
        self.authenticators = authenticators

    @property
    def parser_context(self) -> dict[str, Any]:  # type: ignore[override]
        return {"request": self, "encoding": self._request.encoding or "utf-8"}

    def authenticate(self) -> None:
        """Settles ``user``. Raises what the authenticators raise.

        A method, so that DRF's guard for errors inside of properties is not needed.
        """
        if "_user" not in self.__dict__:
            self._authenticate()  # type: ignore[attr-defined]  # the stubs leave it out

    @property
    def service(self) -> str:
        """Which of the shop's services is being called."""
        http_request: Any = self._request
        return str(http_request.scope["service"])
