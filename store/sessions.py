"""Who is signed in to the pages of a service: kept in a signed cookie, for eight hours at most.

Only pages read it. A program says who it is in every request, see ``store.auth``.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, rotate_token
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from store.auth import NOBODY, Caller
from store.errors import Forbidden

PERSON = "person"
# What a program says of itself; where one of these is, the cookie does not count.
IDENTITY_HEADERS = {"HTTP_AUTHORIZATION", "HTTP_X_USER_ID", "HTTP_ADMIN"}


class FormExpired(Forbidden):
    code = "csrf_failed"
    detail = "This form has expired; load its page again."


def sign_in(request: HttpRequest, person: Caller) -> None:
    request.session.flush()
    request.session[PERSON] = [person.username, person.is_admin, int(time.time())]
    rotate_token(request)


def sign_out(request: HttpRequest) -> None:
    request.session.flush()


def person_of(session: SessionBase) -> Caller:
    """Who signed in less than eight hours ago, or nobody."""
    kept = session.get(PERSON)
    if kept is None or time.time() - kept[2] > settings.SESSION_COOKIE_AGE:
        return NOBODY
    return Caller(username=kept[0], is_admin=kept[1])


class SessionAuthentication(BaseAuthentication):
    """The person signed in to the browsable API. A form has to prove that it came from there."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        page: Any = request._request
        # The JSON API runs without sessions: it never so much as looks at a cookie.
        if not hasattr(page, "session") or not IDENTITY_HEADERS.isdisjoint(page.META):
            return None
        person = person_of(page.session)
        if not person.is_authenticated:
            return None
        _check_csrf(page)
        return person, None


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    if check.process_view(request, None, (), {}):  # type: ignore[arg-type]
        raise FormExpired
