"""Unique names by conditional writes: a name is claimed, then confirmed or let go.

A claim ends by itself: an instance that dies while it hashes a password holds no name for ever.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid4

from cassandra.query import UNSET_VALUE

from accounts.cassandra.ids import Ids
from accounts.cassandra.rows import Row, in_groups, values_of
from accounts.domain import Applicant, Busy, UsernameTaken
from store.cassandra.bridge import Bridge, OutcomeUnknown, StoreAway

# Ids that stand in one partition.
BUCKET = 1000


class People:
    """The rows of the table of users; a claim is none of them."""

    def __init__(self, bridge: Bridge, *, claim_seconds: int) -> None:
        """``claim_seconds``: longer than a password waits and is hashed."""
        self._bridge = bridge
        self._ids = Ids(bridge)
        self._claim_seconds = claim_seconds
        self._marks: dict[str, UUID] = {}

    async def claim(self, username: str) -> None:
        """Raises UsernameTaken."""
        key = username.casefold()
        # Nobody else here may take it, even where the claim has run out.
        if key in self._marks:
            raise _taken()
        mark = self._marks[key] = uuid4()
        try:
            if not await self._is_claimed(key, mark):
                raise _taken()
        except BaseException:
            del self._marks[key]
            raise

    async def confirm(self, applicant: Applicant, password_hash: str, *, now: datetime) -> Row:
        """Raises Busy where the claim has run out."""
        key = applicant.username.casefold()
        number = await self._ids.next()
        # First where to look, then what is there: the list misses nobody.
        await self._bridge.ask("index_user", number // BUCKET, number, key)
        values = values_of(applicant, number, password_hash, now=now)
        if not await self._is_confirmed(key, number, values):
            raise Busy(retry_after=1)
        del self._marks[key]
        return (key, *values)

    async def abandon(self, username: str) -> None:
        """Never of somebody who became a user after all."""
        key = username.casefold()
        if (mark := self._marks.pop(key, None)) is not None:
            # Where Cassandra is away the claim runs out.
            with suppress(StoreAway):
                await self._bridge.ask("abandon_name", key, mark)

    async def find(self, name: str) -> Row | None:
        rows = await self._bridge.ask("user", name.casefold())
        return rows[0] if rows and _is_user(rows[0]) else None

    async def change(self, username: str, full_name: str | None, phone: str | None) -> bool:
        """Whether there is such a user."""
        said = [UNSET_VALUE if field is None else field for field in (full_name, phone)]
        key = username.casefold()
        try:
            answer = await self._bridge.ask("change_user", *said, key, username)
            return bool(answer[0][0])
        except OutcomeUnknown:
            rows = await self._bridge.ask("settled_user", key)
            if rows and rows[0][3] == username and _says(rows[0], full_name, phone):
                return True
            raise

    async def page(self, *, after: int, limit: int) -> Sequence[Row]:
        """In the order of their ids, bucket by bucket."""
        found: list[Row] = []
        last = await self._ids.free_from() - 1
        while len(found) < limit and after < last:
            bucket, wanted = (after + 1) // BUCKET, limit - len(found)
            hints = await self._bridge.ask("user_keys", bucket, after, wanted)
            found += await self._meant(hints)
            after = hints[-1][0] if len(hints) == wanted else (bucket + 1) * BUCKET - 1
        return found

    async def _meant(self, hints: Sequence[Row]) -> list[Row]:
        rows: dict[int, Row] = {}
        for keys in in_groups([key for _, key in hints]):
            users = await self._bridge.ask("users", keys)
            rows |= {row[1]: row for row in users if _is_user(row)}
        return [rows[number] for number, _ in hints if number in rows]

    async def _is_claimed(self, key: str, mark: UUID) -> bool:
        try:
            answer = await self._bridge.ask("claim_name", key, mark, self._claim_seconds)
            return bool(answer[0][0])
        except OutcomeUnknown:
            rows = await self._bridge.ask("settled_user", key)
            if not rows:
                raise
            return bool(rows[0][0] == mark)

    async def _is_confirmed(self, key: str, number: int, values: Sequence[object]) -> bool:
        try:
            answer = await self._bridge.ask("confirm_name", *values, key, self._marks[key])
            return bool(answer[0][0])
        except OutcomeUnknown:
            rows = await self._bridge.ask("settled_user", key)
            if rows and rows[0][2] == number:
                return True
            raise


def _taken() -> UsernameTaken:
    return UsernameTaken(errors={"username": [UsernameTaken.detail]})


def _is_user(row: Row) -> bool:
    return row[1] is not None


def _says(row: Row, full_name: str | None, phone: str | None) -> bool:
    found_name, found_phone = row[4:6]
    return full_name in (None, found_name) and phone in (None, found_phone)
