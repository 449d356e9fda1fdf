"""What a view answers, and the one table from errors to statuses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions

from store import errors, metrics, wire
from store.http import PeerRefused
from store.lean import LeanResponse

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


class Response:
    """What a view answers: JSON data (or bytes that are JSON already), a status, headers."""

    __slots__ = ("data", "headers", "status")

    def __init__(
        self, data: Any = None, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.status = status
        self.headers = headers


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
