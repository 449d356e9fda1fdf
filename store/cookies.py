"""The session of a page's request, in a cookie of the service's own: the four share a host."""

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from store.sessions import person_of


class Sessions(SessionMiddleware):
    """Django's, which knows but one cookie for a process."""

    def process_request(self, request: HttpRequest) -> None:
        name, _ = _name_and_path(request)
        request.session = self.SessionStore(request.COOKIES.get(name))

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        session = request.session
        if session.accessed:
            patch_vary_headers(response, ["Cookie"])
        if not session.modified:
            return response
        if session.is_empty():
            _take_cookie(request, response)
        else:
            session.save()
            _give_cookie(request, response)
        return response


class People(AuthenticationMiddleware):
    """``request.user`` on pages is a Caller, as it is in the API; there is no table of users."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = person_of(request.session)  # type: ignore[assignment]


def _name_and_path(request: HttpRequest) -> tuple[str, str]:
    scope = request.scope  # type: ignore[attr-defined]
    return f"store_{scope['service']}_session", scope["root_path"] or "/"


def _give_cookie(request: HttpRequest, response: HttpResponse) -> None:
    name, path = _name_and_path(request)
    response.set_cookie(
        name,
        request.session.session_key or "",
        max_age=settings.SESSION_COOKIE_AGE,
        path=path,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _take_cookie(request: HttpRequest, response: HttpResponse) -> None:
    name, path = _name_and_path(request)
    if name in request.COOKIES:
        response.delete_cookie(name, path=path, samesite="Lax")
