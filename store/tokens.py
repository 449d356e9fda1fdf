"""The two kinds of JWT: a user's, with exactly sub, is_admin, exp, and a service's.

Both are HS256 under SECRET_KEY; one is never taken for the other.
"""

import re
import time
from functools import cache
from typing import Any, cast

import jwt
from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenBackendError

from store.errors import NotAuthenticated

ALGORITHM = "HS256"
MAX_TOKEN_LENGTH = 4096
SERVICE = "service"
# base64 decoders skip what is not base64: without this one token would have many spellings.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)


class BadToken(NotAuthenticated):
    code = "bad_token"
    detail = "The token is not valid."


def user_token(username: str, is_admin: bool) -> tuple[str, int]:
    """A signed token and the seconds it is good for."""
    claims = {"sub": username, "is_admin": is_admin}
    return _signed(claims, seconds=settings.USER_TOKEN_SECONDS), settings.USER_TOKEN_SECONDS


def service_token(caller: str, callee: str) -> str:
    """A token with which ``caller`` proves to ``callee`` that it is one of the services."""
    claims = {"sub": f"service:{caller}", "aud": callee, "typ": SERVICE}
    return _signed(claims, seconds=settings.SERVICE_TOKEN_SECONDS)


def verified_claims(token: str) -> dict[str, Any]:
    """The claims of a token signed by this shop and not expired. Raises BadToken."""
    _check_header(token)
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            claims: dict[str, Any] = _backend(key).decode(cast(Any, token))
        except TokenBackendError:
            continue
        if type(claims.get("exp")) is int:
            return claims
    raise BadToken


def _signed(claims: dict[str, Any], *, seconds: int) -> str:
    return str(_backend(settings.SECRET_KEY).encode(claims | {"exp": int(time.time()) + seconds}))


@cache
def _backend(key: str) -> Any:
    # simplejwt imports Django's models, which are not loaded yet when an apps.py imports this.
    from rest_framework_simplejwt.backends import TokenBackend

    return TokenBackend(ALGORITHM, key)


def _check_header(token: str) -> None:
    """Only this shop makes its tokens, and it never writes ``kid``, ``jku`` or ``crit``."""
    if len(token) > MAX_TOKEN_LENGTH or not _TOKEN.fullmatch(token):
        raise BadToken
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise BadToken from None
    if header.get("alg") != ALGORITHM or not header.keys() <= {"alg", "typ"}:
        raise BadToken
