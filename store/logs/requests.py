"""One line for each request: by route and not by path, and without anything the client sent."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import random
from time import perf_counter
from typing import Any

from django.conf import settings

from store.correlation import Exchange
from store.logs.lines import line_of
from store.logs.writer import writer
from store.metrics import METHODS
from store.remembered import from_settings

CLIENT_CLOSED = 499  # nginx's word for a client that left before its answer
UNMATCHED = "unmatched"
_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


@dataclass(frozen=True, slots=True)
class _Policy:
    share: float
    is_of_users: bool


@from_settings
def _policy() -> _Policy:
    return _Policy(share=settings.LOG_REQUESTS, is_of_users=settings.LOG_USERS != "off")


def log_request(exchange: Exchange, scope: Any, *, began_at: float) -> None:
    """``began_at`` by ``perf_counter``."""
    status = exchange.status or CLIENT_CLOSED
    policy = _policy()
    if not _is_wanted(status, policy.share):
        return
    entry = {
        "time": datetime.now(UTC),
        "level": _level(status),
        "service": scope["service"],
        "request_id": exchange.request_id,
        "method": scope["method"] if scope["method"] in METHODS else "other",
        "route": route_of(exchange.request),
        "status": status,
        "milliseconds": round((perf_counter() - began_at) * 1000, 2),
    }
    if policy.is_of_users and (user := _user_of(exchange.request)):
        entry["user"] = user
    if exchange.trace_id:
        entry["trace_id"] = exchange.trace_id
    if exchange.is_client_gone or not exchange.status:
        entry["client_gone"] = True
    writer.write(line_of(entry), is_urgent=status >= 500)


def route_of(request: Any) -> str:
    """``/orders/{order_id}``; UNMATCHED where no view was found."""
    match = request and request.resolver_match
    return UNMATCHED if not match else template(match.route)


@lru_cache(maxsize=1024)
def template(route: str) -> str:
    """Django's ``orders/<uuid:order_id>`` as others write it."""
    return "/" + _CONVERTER.sub(r"{\1}", route)


def _is_wanted(status: int, share: float) -> bool:
    if share >= 1:
        return True
    return share > 0 and (status >= 500 or random() < share)  # noqa: S311  # no secret


def _level(status: int) -> str:
    if status < 500:
        return "INFO"
    return "WARNING" if status == 503 else "ERROR"


def _user_of(request: Any) -> str | None:
    # Nobody has looked who is calling where nobody needed to know.
    username = getattr(getattr(request, "user", None), "username", None)
    return _hashed(username) if username else None


@lru_cache(maxsize=20_000)
def _hashed(username: str) -> str:
    """Keyed: a plain hash of a name is found by hashing all names. The same in all services."""
    key = settings.SECRET_KEY.encode()
    return hmac.digest(key, f"log {username}".encode(), "sha256").hex()[:16]
