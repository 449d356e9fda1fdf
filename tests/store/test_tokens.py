"""Tokens: what this shop signs, and everything else, which it refuses."""

import time
from typing import Any

import pytest
from django.conf import LazySettings

from store import tokens
from tests.store.forgery import HEADER, forged, service_claims, user_claims

OTHER_KEY = "another key, long enough to sign with it"


def test_a_users_token_has_the_contracts_three_claims_and_lives_half_an_hour() -> None:
    token, seconds = tokens.user_token("alice", is_admin=True)

    claims = tokens.verified_claims(token)

    assert seconds == 1800
    assert claims.pop("exp") == pytest.approx(time.time() + 1800, abs=2)
    assert claims == {"sub": "alice", "is_admin": True}


def test_a_services_token_names_both_sides_and_lives_a_minute() -> None:
    claims = tokens.verified_claims(tokens.service_token("carts", "catalog"))

    assert claims.pop("exp") == pytest.approx(time.time() + 60, abs=2)
    assert claims == {"sub": "service:carts", "aud": "catalog", "typ": "service"}


def test_a_token_made_by_hand_with_the_key_is_as_good_as_ours() -> None:
    claims = user_claims(more="claims are allowed")

    assert tokens.verified_claims(forged(claims)) == claims


HEADERS: dict[str, Any] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None", "typ": "JWT"},
    "alg nOnE": {"alg": "nOnE"},
    "no alg": {"typ": "JWT"},
    "alg null": {"alg": None},
    "alg a list": {"alg": ["HS256"]},
    "alg in small letters": {"alg": "hs256"},
    "RS256": HEADER | {"alg": "RS256"},
    "ES256": HEADER | {"alg": "ES256"},
    "kid a path": HEADER | {"kid": "../../../../dev/null"},
    "kid SQL": HEADER | {"kid": "x' UNION SELECT 'key'--"},
    "kid a number": HEADER | {"kid": 1},
    "kid long": HEADER | {"kid": "k" * 10_000},
    "jku": HEADER | {"jku": "http://evil.example/keys.json"},
    "x5u": HEADER | {"x5u": "http://evil.example/cert.pem"},
    "jwk": HEADER | {"jwk": {"kty": "oct", "k": "AAAA"}},
    "crit": HEADER | {"crit": ["exp"]},
    "b64": HEADER | {"b64": False, "crit": ["b64"]},
    "a list": ["HS256"],
    "null": None,
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "bottomless": b"[" * 2_900,
    "bottomless objects": b'{"alg":' * 400,
    "empty": b"",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_of_any_other_kind_is_refused_though_the_signature_is_right(header: Any) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(forged(user_claims(), header=header))


@pytest.mark.parametrize("alg", ["none", "None", "HS256"])
@pytest.mark.parametrize("signature", ["", "x", "A" * 43, "A" * 44])
def test_a_token_without_our_signature_is_refused(alg: str, signature: str) -> None:
    unsigned = forged(user_claims(), header={"alg": alg}).rpartition(".")[0]

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(f"{unsigned}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_hash_under_our_key_is_refused(algorithm: str) -> None:
    token = forged(user_claims(), header={"alg": algorithm}, algorithm=f"sha{algorithm[2:]}")

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(token)


@pytest.mark.parametrize("key", [OTHER_KEY, "supersecretkey123", "", "secret"])
def test_another_key_and_the_descriptions_default_one_are_refused(key: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(forged(user_claims(), key=key))


def claims_at(now: int) -> dict[str, Any]:
    """What is wrong at that second: a whole run of all tests may take longer than a token lives."""
    return {
        "expired": user_claims(exp=now - 1),
        "expired long ago": user_claims(exp=0),
        "exp below zero": user_claims(exp=-1),
        "no exp": user_claims(exp=...),
        "exp null": user_claims(exp=None),
        "exp a float": user_claims(exp=now + 1800.5),
        "exp a string": user_claims(exp=str(now + 1800)),
        "exp true": user_claims(exp=True),
        "exp a list": user_claims(exp=[now + 1800]),
        "nbf in the future": user_claims(nbf=now + 600),
        "nbf a string": user_claims(nbf="x"),
        "iat in the future": user_claims(iat=now + 600),
        "iat a string": user_claims(iat="x"),
        "sub a number": user_claims(sub=1),
        "sub a list": user_claims(sub=["alice"]),
        "a list": ["alice"],
        "null": None,
        "no JSON": b"{",
        "no UTF-8": b"\xff\xfe",
    }


@pytest.mark.parametrize("name", claims_at(0))
def test_claims_that_make_no_sense_are_refused_though_the_signature_is_right(name: str) -> None:
    claims = claims_at(int(time.time()))[name]

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(forged(claims))


@pytest.mark.parametrize("exp", [2**31, 2**63, 10**30, 10**400])
def test_an_end_far_away_is_no_error(exp: int) -> None:
    assert tokens.verified_claims(forged(user_claims(exp=exp)))["exp"] == exp


@pytest.mark.parametrize("place", range(3))
def test_changing_any_part_breaks_the_token(place: int) -> None:
    parts = forged(user_claims()).split(".")
    middle = len(parts[place]) // 2
    changed = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + changed + parts[place][middle + 1 :]

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(".".join(parts))


@pytest.mark.parametrize("junk", ["", ".", "..", "...", "x", "a.b.c", "é.é.é", "\x00", "A" * 9_999])
def test_what_is_no_token_is_refused(junk: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(junk)


@pytest.mark.parametrize("spelling", ["{}=", "{} ", "{}!", "{}\n", "{}.x", "x.{}", "{}AAAA"])
def test_a_token_has_one_spelling_only(spelling: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(spelling.format(forged(user_claims())))


def test_a_token_longer_than_4096_characters_is_not_even_looked_at() -> None:
    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(forged(user_claims(more="x" * 4096)))


def test_a_key_that_was_replaced_verifies_while_it_is_a_fallback(settings: LazySettings) -> None:
    old = forged(user_claims(), key=OTHER_KEY)
    settings.SECRET_KEY_FALLBACKS = [OTHER_KEY]

    assert tokens.verified_claims(old)["sub"] == "alice"


def test_a_fallback_that_was_removed_verifies_no_more(settings: LazySettings) -> None:
    old = forged(user_claims(), key=OTHER_KEY)
    settings.SECRET_KEY_FALLBACKS = []

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(old)


def test_only_the_present_key_signs(settings: LazySettings) -> None:
    before = tokens.user_token("alice", is_admin=False)[0], tokens.service_token("carts", "orders")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_KEY, []

    for token in before:
        with pytest.raises(tokens.BadToken):
            tokens.verified_claims(token)


def test_an_expired_token_of_a_fallback_key_is_expired(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [OTHER_KEY]

    with pytest.raises(tokens.BadToken):
        tokens.verified_claims(forged(user_claims(exp=int(time.time()) - 1), key=OTHER_KEY))


def test_a_service_claims_helper_makes_what_a_service_signs() -> None:
    made, signed = (
        service_claims(),
        tokens.verified_claims(tokens.service_token("carts", "catalog")),
    )

    assert made | {"exp": signed["exp"]} == signed
