"""Idempotency keys that all instances share: one of them works on a key, all know its answer.

Who works on a key holds a claim that ends by itself, should the instance die. A claim that ends
too early lets two work at once, which does no harm: what a key asks for is made under an id that
follows from the key.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec

from store.answers import Response
from store.cassandra.bridge import Bridge, OutcomeUnknown, Row, StoreAway
from store.cassandra.schema import Statements
from store.errors import KeyReused
from store.idempotency import Entry, IdempotencyKeys, Scope, Work

KEEP_SECONDS = 24 * 3600
# Longer than any request may take.
CLAIM_SECONDS = 12
LOOK_AGAIN_SECONDS = 0.1
ATTEMPTS = 3

_ROW = "fingerprint, holder, status, body, headers"
# Every service that uses them adds these to its own.
STATEMENTS = Statements(
    decisive={"key": f"SELECT {_ROW} FROM idempotency_keys WHERE scope = ?"},
    conditional={
        "claim_key": (
            "INSERT INTO idempotency_keys (scope, fingerprint, holder) VALUES (?, ?, ?)"
            " IF NOT EXISTS USING TTL ?"
        ),
        "answer_key": (
            "UPDATE idempotency_keys USING TTL ? SET fingerprint = ?, status = ?, body = ?,"
            " headers = ? WHERE scope = ? IF holder = ?"
        ),
        "release_key": "DELETE FROM idempotency_keys WHERE scope = ? IF holder = ?",
    },
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A key's row; without a status an answer is still to come."""

    fingerprint: bytes
    holder: UUID | None
    answer: Response | None


class SharedKeys(IdempotencyKeys):
    """In one process requests join each other; others' are waited for by looking at the table.

    Raises StoreAway besides, before there is an answer or when it could not be kept: then the
    key may be used anew.
    """

    def __init__(self, bridge: Bridge, *, keep_seconds: int = KEEP_SECONDS) -> None:
        super().__init__()
        self._bridge = bridge
        self._keep_for = keep_seconds
        self._holders: dict[Scope, UUID] = {}

    async def _given_before(self, scope: Scope, fingerprint: bytes) -> Response | None:
        """Another instance's answer, or None: then the key is claimed."""
        holder = self._holders[scope] = uuid4()
        while (claim := await self._claimed(scope, fingerprint, holder)) is not None:
            if claim.fingerprint != fingerprint:
                raise KeyReused
            if claim.answer is not None:
                return claim.answer
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return None

    async def _answer(self, scope: Scope, entry: Entry, work: Work) -> Response:
        try:
            return await super()._answer(scope, entry, work)
        finally:
            if not entry.answer.done():
                # The claim ends by itself otherwise.
                with suppress(StoreAway):
                    await self._bridge.ask("release_key", _name(scope), self._holders[scope])

    async def _keep(self, scope: Scope, entry: Entry, answer: Response) -> None:
        headers = msgspec.json.encode(answer.headers).decode()
        row = (entry.fingerprint, answer.status, answer.data, headers)
        for _ in range(ATTEMPTS):
            try:
                # Not applied: the claim had ended, and what became of the key is another's.
                holder = self._holders[scope]
                await self._bridge.ask("answer_key", self._keep_for, *row, _name(scope), holder)
                break
            except OutcomeUnknown:
                # Asked once more it has the same outcome: the condition is the same holder.
                if (claim := await self._read(scope)) is None or claim.answer is not None:
                    break
        else:
            raise StoreAway
        entry.answer.set_result(answer)

    def _forget(self, scope: Scope) -> None:
        super()._forget(scope)
        self._holders.pop(scope, None)

    async def _claimed(self, scope: Scope, fingerprint: bytes, holder: UUID) -> _Claim | None:
        """Whose claim there is, or None when it is ours."""
        values = (_name(scope), fingerprint, holder, CLAIM_SECONDS)
        while True:
            with suppress(OutcomeUnknown):
                if (await self._bridge.ask("claim_key", *values))[0][0]:
                    return None
            if (claim := await self._read(scope)) is not None:
                return None if claim.holder == holder else claim

    async def _read(self, scope: Scope) -> _Claim | None:
        rows = await self._bridge.ask("key", _name(scope))
        return _claim(rows[0]) if rows else None


def _name(scope: Scope) -> str:
    return msgspec.json.encode(scope).decode()


def _claim(row: Row) -> _Claim:
    fingerprint, holder, status, body, headers = row
    if status is None:
        return _Claim(fingerprint, holder, None)
    answer = Response(body, status=status, headers=msgspec.json.decode(headers))
    return _Claim(fingerprint, holder, answer)
