"""JWTs made by hand: what no library would sign."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from django.conf import settings

HEADER = {"alg": "HS256", "typ": "JWT"}


def user_claims(**changes: Any) -> dict[str, Any]:
    """A user's claims with ``changes``; a claim changed to ``...`` is left out."""
    claims = {"sub": "alice", "is_admin": False, "exp": int(time.time()) + 1800} | changes
    return {name: value for name, value in claims.items() if value is not ...}


def service_claims(**changes: Any) -> dict[str, Any]:
    claims = {"sub": "service:carts", "aud": "catalog", "typ": "service", "is_admin": ...}
    return user_claims(**(claims | changes))


def forged(
    claims: Any, *, header: Any = HEADER, key: str | None = None, algorithm: str = "sha256"
) -> str:
    """``claims`` and ``header`` (JSON values, or bytes as they are) signed with ``key``."""
    signed = f"{_part(header)}.{_part(claims)}"
    secret = (settings.SECRET_KEY if key is None else key).encode()
    signature = hmac.digest(secret, signed.encode(), getattr(hashlib, algorithm))
    return f"{signed}.{_part(signature)}"


def _part(value: Any) -> str:
    encoded = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(encoded).rstrip(b"=").decode()
