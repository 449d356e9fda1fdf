"""Who is calling: a user by JWT, a service by token, the demo's admin role, or nobody."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from store import tokens
from store.errors import NotAuthenticated

USERNAME = re.compile(r"[A-Za-z0-9_.\-]{3,50}", re.ASCII)
REMEMBERED_TOKENS = 20_000


@dataclass(frozen=True, slots=True)
class Caller:
    """``username`` is the person, or the one for whom a service acts."""

    username: str | None = None
    is_admin: bool = False
    service: str | None = None
    audience: str | None = None

    # What Django's and DRF's templates and permissions ask of a user.
    is_active = True

    @property
    def is_authenticated(self) -> bool:
        return self.username is not None or self.is_admin or self.service is not None

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    def __str__(self) -> str:
        return self.username or self.service or ("admin" if self.is_admin else "")


NOBODY = Caller()


class CallerAuthentication(BaseAuthentication):
    """Settles ``request.user`` from the headers, without I/O."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        http_request: Any = request._request
        return identify(http_request.META, callee=http_request.scope["service"]), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def identify(headers: Mapping[str, Any], *, callee: str) -> Caller:
    """The caller of ``callee``, by ``headers`` named as in a Django request's META.

    Raises NotAuthenticated for a bad token and for an X-User-ID from anyone but a service.
    """
    authorization = headers.get("HTTP_AUTHORIZATION")
    caller = _by_token(authorization) if authorization is not None else NOBODY
    if caller.audience not in (None, callee):
        raise tokens.BadToken
    if "HTTP_X_USER_ID" in headers:
        caller = _acting_for(caller, headers["HTTP_X_USER_ID"])
    if "HTTP_ADMIN" in headers and headers["HTTP_ADMIN"].strip().lower() == "true":
        caller = _as_admin(caller)
    return caller


def _acting_for(caller: Caller, username: str) -> Caller:
    if caller.service is None:
        raise NotAuthenticated("X-User-ID is honoured from the shop's services only.")
    if not USERNAME.fullmatch(username):
        raise NotAuthenticated("X-User-ID is not a username.")
    return replace(caller, username=username)


def _as_admin(caller: Caller) -> Caller:
    """Demo mode gives the role to anyone, as the description has it; otherwise to services only."""
    if settings.DEMO or caller.service is not None:
        return replace(caller, is_admin=True)
    return caller


class _Memory:
    """Verified Authorization headers until they expire: checking a signature takes 60 us."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._callers: dict[str, tuple[Caller, int]] = {}

    def get(self, authorization: str) -> Caller | None:
        known = self._callers.get(authorization)
        if known is None:
            return None
        if known[1] <= time.time():
            del self._callers[authorization]
            return None
        return known[0]

    def add(self, authorization: str, caller: Caller, expires_at: int) -> None:
        while len(self._callers) >= self._limit:
            del self._callers[next(iter(self._callers))]
        self._callers[authorization] = (caller, expires_at)


_memory = _Memory(REMEMBERED_TOKENS)


def _by_token(authorization: str) -> Caller:
    caller = _memory.get(authorization)
    if caller is None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Authorization carries a Bearer token.")
        token = token.strip()
        claims = tokens.verified_claims(token)
        caller = _from_claims(claims)
        # Blanks give one token many spellings, which would crowd out the others.
        if len(authorization) == len(f"Bearer {token}"):
            _memory.add(authorization, caller, claims["exp"])
    return caller


def _from_claims(claims: Mapping[str, Any]) -> Caller:
    subject, audience = claims.get("sub"), claims.get("aud")
    if not isinstance(subject, str) or not isinstance(audience, str | None):
        raise tokens.BadToken
    if claims.get("typ") == tokens.SERVICE:
        name = subject.removeprefix("service:")
        if subject == name or name not in settings.PREFIXES or audience not in settings.PREFIXES:
            raise tokens.BadToken
        return Caller(service=name, audience=audience)
    is_admin = claims.get("is_admin")
    if audience is not None or not isinstance(is_admin, bool) or not USERNAME.fullmatch(subject):
        raise tokens.BadToken
    return Caller(username=subject, is_admin=is_admin)
