"""Who may call: headers of people and services, good and forged."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from store import tokens
from tests.store.forgery import HEADER, forged, service_claims, user_claims

Headers = dict[str, str]

ADMIN_HEADER = {"admin": "true"}


def user(name: str) -> Headers:
    return bearer(tokens.user_token(name, is_admin=False)[0])


def admin(name: str = "boss") -> Headers:
    return bearer(tokens.user_token(name, is_admin=True)[0])


def service(caller: str, callee: str, *, acting_for: str | None = None) -> Headers:
    named = {"X-User-ID": acting_for} if acting_for else {}
    return bearer(tokens.service_token(caller, callee)) | named


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def bad_credentials(callee: str) -> dict[str, Headers]:
    """What nobody may get in with, anywhere: by what is wrong with it."""
    foreign = "carts" if callee != "carts" else "catalog"
    good = user_claims(is_admin=True)
    return {
        "no token at all": {"Authorization": "Bearer"},
        "no JWT": bearer("abc.def.ghi"),
        "Basic": {"Authorization": "Basic Ym9zczpib3Nz"},
        "a wrong key": bearer(forged(good, key="a wrong key; it is as long as the right one")),
        "the description's key": bearer(forged(good, key="supersecretkey123")),
        "expired": bearer(forged(good | {"exp": int(time.time()) - 1})),
        "alg none": bearer(unsigned(good)),
        "alg None, signed": bearer(forged(good, header=HEADER | {"alg": "None"})),
        "X-User-ID alone": {"X-User-ID": "boss"},
        "X-User-ID and the admin header": {"X-User-ID": "boss"} | ADMIN_HEADER,
        "X-User-ID and a user's token": user("alice") | {"X-User-ID": "boss"},
        "X-User-ID and an admin's token": admin() | {"X-User-ID": "alice"},
        "a service's token for another service": service("orders", foreign, acting_for="boss"),
        "a service's token without its type": bearer(
            forged(service_claims(aud=callee, typ=..., is_admin=True))
        ),
        "an expired service's token": bearer(forged(service_claims(aud=callee, exp=1))),
        "a bad token and the admin header": bearer("abc.def.ghi") | ADMIN_HEADER,
    }


def odd_tokens() -> dict[str, Headers]:
    """Further ways to forge a token; one operation a service is enough for them."""
    good = user_claims(is_admin=True)
    soon = int(time.time()) + 1000
    odd_headers: dict[str, Any] = {
        "RS256": {"alg": "RS256"},
        "ES256": {"alg": "ES256"},
        "HS512": {"alg": "HS512"},
        "kid of a file": {"kid": "../../dev/null"},
        "kid with SQL": {"kid": "' OR '1'='1"},
        "jku": {"jku": "https://example.com/keys"},
        "x5u": {"x5u": "https://example.com/cert"},
        "jwk": {"jwk": {"kty": "oct", "k": "AAAA"}},
        "crit": {"crit": ["exp"]},
    }
    odd_claims: dict[str, Any] = {
        "no exp": {"exp": ...},
        "exp as text": {"exp": str(soon)},
        "nbf in the future": {"nbf": soon},
        "iat in the future": {"iat": soon},
        "no sub": {"sub": ...},
        "empty sub": {"sub": ""},
        "sub a number": {"sub": 5},
        "sub a list": {"sub": ["boss"]},
        "sub a service": {"sub": "service:orders"},
        "is_admin a word": {"is_admin": "true"},
        "is_admin 1": {"is_admin": 1},
        "an audience": {"aud": "catalog"},
    }
    return (
        {name: bearer(forged(good, header=HEADER | odd)) for name, odd in odd_headers.items()}
        | {name: bearer(forged(user_claims(**odd))) for name, odd in odd_claims.items()}
        | {"10 kB": bearer(forged(good | {"more": "x" * 10_000}))}
        | {"claims that are a list": bearer(forged([good]))}
        | {"two tokens in one": {"Authorization": f"{admin()['Authorization']}, Bearer x.y.z"}}
    )


def unsigned(claims: Any) -> str:
    """An ``alg: none`` token with the empty signature of the JWT specification."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b""]).decode()
