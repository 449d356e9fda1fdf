"""Cursors: signed keys of the last row of a page, good only for the list they came from."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings

from store.errors import Invalid

SIGNATURE_BYTES = 12


class BadCursor(Invalid):
    code = "bad_cursor"
    detail = "This cursor is not valid for this list."


def encode_cursor(scope: str, key: Sequence[str | int]) -> str:
    """``scope`` says everything that defines the list: its name, filters and sort order."""
    payload = orjson.dumps(key)
    return urlsafe_b64encode(_sign(settings.SECRET_KEY, scope, payload) + payload).decode()


def decode_cursor(scope: str, text: str) -> list[Any]:
    """The key that was encoded. Raises BadCursor for another list's cursor or none of ours."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        raise BadCursor from None
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if hmac.compare_digest(signature, _sign(key, scope, payload)):
            return list(orjson.loads(payload))
    raise BadCursor


def _sign(key: str, scope: str, payload: bytes) -> bytes:
    message = b"cursor\x00" + scope.encode() + b"\x00" + payload
    return hmac.digest(key.encode(), message, "sha256")[:SIGNATURE_BYTES]
