"""Cursors: signed keys of the last row of a page, good only for the list they came from."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson
from django.conf import settings

from store.errors import Invalid
from store.remembered import from_settings

SIGNATURE_BYTES = 12


class BadCursor(Invalid):
    code = "bad_cursor"
    detail = "This cursor is not valid for this list."


def encode_cursor(scope: str, key: Sequence[str | int]) -> str:
    """``scope`` says everything that defines the list: its name, filters and sort order."""
    payload = orjson.dumps(key)
    return urlsafe_b64encode(_sign(_keys()[0], scope, payload) + payload).decode()


def decode_cursor(scope: str, text: str) -> list[Any]:
    """The key that was encoded. Raises BadCursor for another list's cursor or none of ours."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        raise BadCursor from None
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    for key in _keys():
        if hmac.compare_digest(signature, _sign(key, scope, payload)):
            return list(orjson.loads(payload))
    raise BadCursor


def _sign(key: bytes, scope: str, payload: bytes) -> bytes:
    """Keyed BLAKE2b: a page pays a third of what HMAC takes for its one cursor."""
    message = scope.encode() + b"\x00" + payload
    return blake2b(message, key=key, digest_size=SIGNATURE_BYTES).digest()


@from_settings
def _keys() -> list[bytes]:
    """For cursors alone, of the shop's own: the one that signs, then those that still verify."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [hmac.digest(secret.encode(), b"cursor", "sha256") for secret in secrets]
