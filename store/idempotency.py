"""Idempotency keys: the first definite answer to a key is the answer to every repetition.

After the IETF draft "The Idempotency-Key HTTP Header Field": 422 for another body under the
same key; a repetition of a running request joins it.
"""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from prometheus_client import Counter

from store import wire
from store.answers import Response
from store.errors import Conflict, Invalid, KeyReused
from store.journal import Change, Journal
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
class Entry:
    """A key that is worked on, or whose answer is kept."""

    fingerprint: bytes
    answer: asyncio.Future[Response]
    kept_until: float = 0.0


class _Row(msgspec.Struct):
    """An answer as the journal keeps it."""

    fingerprint: bytes
    kept_until: float
    status: int
    body: str | None
    headers: Mapping[str, str] | None

    def entry(self) -> Entry:
        body = None if self.body is None else self.body.encode()
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(Response(body, status=self.status, headers=self.headers))
        return Entry(self.fingerprint, answer, self.kept_until)


TABLE = "keys"
_row = msgspec.json.Decoder(_Row)
_scope = msgspec.json.Decoder(Scope)


class IdempotencyKeys:
    """The keys of one service, bounded in number and time; the oldest answers go first."""

    def __init__(
        self,
        *,
        limit: int = 100_000,
        keep_seconds: float = 24 * 3600,
        clock: Callable[[], float] = time.time,
        journal: Journal | None = None,
    ) -> None:
        self._limit = limit
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._running: dict[Scope, Entry] = {}
        self._kept: dict[Scope, Entry] = {}  # in the order in which they were answered
        self._journal = journal
        if journal is not None:
            self._restore(journal.take(TABLE))
            journal.keep(self._rows)

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

    def _known(self, scope: Scope) -> Entry | None:
        now = self._clock()
        while self._kept and (oldest := next(iter(self._kept.items())))[1].kept_until <= now:
            del self._kept[oldest[0]]
        return self._running.get(scope) or self._kept.get(scope)

    async def _first(self, scope: Scope, fingerprint: bytes, work: Work) -> Response:
        entry = Entry(fingerprint, asyncio.get_running_loop().create_future())
        self._running[scope] = entry
        try:
            if (answer := await self._given_before(scope, fingerprint)) is None:
                return await self._answer(scope, entry, work)
            entry.answer.set_result(answer)
            return _replayed(answer)
        finally:
            self._forget(scope)
            entry.answer.cancel()  # which does nothing to an answer that was given

    async def _given_before(self, scope: Scope, fingerprint: bytes) -> Response | None:
        """The answer that this process does not know, or None: then it is ours to give.

        Raises KeyReused.
        """
        return None

    async def _answer(self, scope: Scope, entry: Entry, work: Work) -> Response:
        try:
            answer = _encoded(await work())
            if answer.status < 300:
                await self._keep(scope, entry, answer)
            return answer
        except Conflict as error:
            # As an answer: the error itself would keep the frames it went through.
            await self._keep(scope, entry, Response(wire.encode(error.body()), status=409))
            raise

    def _forget(self, scope: Scope) -> None:
        """Nobody works on it any more."""
        del self._running[scope]

    async def _keep(self, scope: Scope, entry: Entry, answer: Response) -> None:
        """Raises JournalUnavailable; then the key may be used anew."""
        entry.kept_until = self._clock() + self._keep_seconds
        if self._journal is not None:
            self._journal.admit()
            await self._journal.write([_change(scope, entry, answer)], synced=False)
        entry.answer.set_result(answer)
        self._put(scope, entry)

    def _put(self, scope: Scope, entry: Entry) -> None:
        self._kept[scope] = entry
        while len(self._kept) > self._limit:
            del self._kept[next(iter(self._kept))]
            DROPPED.inc()

    def _restore(self, rows: Mapping[str, bytes]) -> None:
        for key, row in rows.items():
            self._put(_scope.decode(key), _row.decode(row).entry())

    def _rows(self) -> Iterator[Change]:
        for scope, entry in list(self._kept.items()):
            yield _change(scope, entry, entry.answer.result())


def _change(scope: Scope, entry: Entry, answer: Response) -> Change:
    body = None if answer.data is None else answer.data.decode()
    row = _Row(entry.fingerprint, entry.kept_until, answer.status, body, answer.headers)
    return TABLE, msgspec.json.encode(scope).decode(), row


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
