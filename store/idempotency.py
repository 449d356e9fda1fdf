"""Idempotency keys: the first definite answer to a key is the answer to every repetition.

After the IETF draft "The Idempotency-Key HTTP Header Field": 422 for another body under the
same key; a repetition of a running request joins it.
"""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter

from store import wire
from store.api import Response
from store.errors import Conflict, Invalid, KeyReused
from store.request import Request

_KEY = re.compile(r'"([\x21-\x7e]{1,255})"|([\x21\x23-\x7e][\x21-\x7e]{0,254})', re.ASCII)

DROPPED = Counter(
    "idempotency_answers_dropped_total", "Answers that left memory before their 24 hours were over"
)

Scope = tuple[str, ...]
Work = Callable[[], Awaitable[Response]]


class BadKey(Invalid):
    code = "bad_idempotency_key"
    detail = "An Idempotency-Key has 1 to 255 visible ASCII characters."


def idempotency_key(request: Request) -> str | None:
    """The request's key, quoted or bare, or None. Raises BadKey."""
    header = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return None
    match = _KEY.fullmatch(header.strip())
    if match is None:
        raise BadKey
    return match.group(1) or match.group(2)


def fingerprint(data: Any) -> bytes:
    """Equal for equal bodies, whatever the order of their keys; no body is ``{}``."""
    return hashlib.sha256(json.dumps(data or {}, default=str, sort_keys=True).encode()).digest()


@dataclass(slots=True)
class _Entry:
    fingerprint: bytes
    answer: asyncio.Future[Response]
    kept_until: float = 0.0


class IdempotencyKeys:
    """The keys of one service, bounded in number and time; the oldest answers go first."""

    def __init__(
        self,
        *,
        limit: int = 100_000,
        keep_seconds: float = 24 * 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._running: dict[Scope, _Entry] = {}
        self._kept: dict[Scope, _Entry] = {}  # in the order in which they were answered

    async def once(self, scope: Scope, fingerprint: bytes, work: Work) -> Response:
        """Answers ``work`` at most once for ``scope``, which is user, method, path and key.

        2xx answers and conflicts are kept and replayed; anything else lets the key be used anew.
        Raises KeyReused when the key came with another body.
        """
        while (entry := self._known(scope)) is not None:
            if entry.fingerprint != fingerprint:
                raise KeyReused
            try:
                return _replayed(await asyncio.shield(entry.answer))
            except asyncio.CancelledError:
                # Unless it is this request that was cancelled, the first attempt came to
                # nothing definite, and whoever asks next is the first now.
                if not entry.answer.cancelled() or _is_being_cancelled():
                    raise
        return await self._first(scope, fingerprint, work)

    def _known(self, scope: Scope) -> _Entry | None:
        now = self._clock()
        while self._kept and (oldest := next(iter(self._kept.items())))[1].kept_until <= now:
            del self._kept[oldest[0]]
        return self._running.get(scope) or self._kept.get(scope)

    async def _first(self, scope: Scope, fingerprint: bytes, work: Work) -> Response:
        entry = _Entry(fingerprint, asyncio.get_running_loop().create_future())
        self._running[scope] = entry
        try:
            answer = _encoded(await work())
            if answer.status < 300:
                self._keep(scope, entry, answer)
            return answer
        except Conflict as error:
            # As an answer: the error itself would keep the frames it went through.
            self._keep(scope, entry, Response(wire.encode(error.body()), status=409))
            raise
        finally:
            del self._running[scope]
            entry.answer.cancel()  # which does nothing to an answer that was given

    def _keep(self, scope: Scope, entry: _Entry, answer: Response) -> None:
        entry.kept_until = self._clock() + self._keep_seconds
        entry.answer.set_result(answer)
        self._kept[scope] = entry
        while len(self._kept) > self._limit:
            del self._kept[next(iter(self._kept))]
            DROPPED.inc()


def _encoded(answer: Response) -> Response:
    """The same answer as bytes, which take a tenth of the room."""
    if answer.data is None or isinstance(answer.data, bytes):
        return answer
    return Response(wire.encode(answer.data), status=answer.status, headers=answer.headers)


REPLAYED = {"Idempotent-Replayed": "true"}


def _is_being_cancelled() -> bool:
    """Both may happen in one turn of the loop: then the request's own end counts."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _replayed(answer: Response) -> Response:
    return Response(
        answer.data, status=answer.status, headers={**(answer.headers or {}), **REPLAYED}
    )
