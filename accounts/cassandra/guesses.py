"""Wrong guesses that all instances share; each row lives as long as it counts."""

import hashlib
import json
from collections.abc import Sequence
from math import ceil
from uuid import uuid4

from accounts.throttling import Key
from store.cassandra.bridge import Bridge

MICROSECONDS = 1_000_000


class SharedGuesses:
    """Kept under a digest: people type passwords where their names belong."""

    def __init__(self, bridge: Bridge, *, window: float) -> None:
        """``window``: seconds for which a guess counts."""
        self._bridge = bridge
        self._seconds = ceil(window)

    async def latest(self, key: Key, count: int, *, since: float) -> Sequence[float]:
        rows = await self._bridge.ask("wrong_guesses", _digest(key), _whole(since), count)
        return sorted(at / MICROSECONDS for (at,) in rows)

    async def add(self, keys: Sequence[Key], *, at: float) -> None:
        for key in keys:
            await self._bridge.ask("wrong_guess", _digest(key), _whole(at), uuid4(), self._seconds)

    async def forgive(self, key: Key) -> None:
        await self._bridge.ask("forgive_guesses", _digest(key))


def _digest(key: Key) -> str:
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def _whole(seconds: float) -> int:
    return int(seconds * MICROSECONDS)
