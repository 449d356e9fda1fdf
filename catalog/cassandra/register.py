"""The orders that asked for stock: what each asked for, and where to look for those in a state."""

import asyncio
import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.cassandra.movements import MAKING, Entry
from catalog.domain import Reservation, ReservedLine, State
from store.cassandra.bridge import Bridge, Row, StoreAway
from store.clock import moment
from store.tasks import Tasks

SHARDS = 8
SECOND = 1_000_000
# Smaller than the desks' batches: while some are written down, others are being held.
MERGED = 32
LONG = 10
# Enough to answer a repeated request long after the refusal.
REFUSED_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for how much of what."""

    user_id: str
    quantities: tuple[tuple[UUID, int], ...]

    @classmethod
    def of(cls, user_id: str, quantities: Mapping[UUID, int]) -> "Asked":
        return cls(user_id, tuple(sorted(quantities.items(), key=lambda pair: pair[0].int)))

    @classmethod
    def parsed(cls, text: str) -> "Asked":
        user_id, pairs = json.loads(text)
        return cls(user_id, tuple((UUID(hex=key), count) for key, count in pairs))

    @property
    def text(self) -> str:
        """The same for the same request, in whatever order its items came."""
        pairs = [[key.hex, count] for key, count in self.quantities]
        return json.dumps([self.user_id, pairs], ensure_ascii=False, separators=(",", ":"))

    @property
    def home(self) -> UUID:
        return self.quantities[0][0]

    @property
    def product_ids(self) -> list[UUID]:
        return [product_id for product_id, _ in self.quantities]

    def reservation(self, entries: Sequence[tuple[UUID, Entry]]) -> Reservation:
        """What came of it; the first entry is the home's."""
        home = entries[0][1]
        in_order = sorted(entries, key=lambda pair: pair[1].place)
        lines = (_line(product_id, entry) for product_id, entry in in_order if entry.quantity)
        return Reservation(
            order_id=home.order_id,
            user_id=self.user_id,
            state=State.HELD if home.state == MAKING else State(home.state),
            lines=tuple(lines),
            created_at=moment(home.created_at),
            updated_at=moment(home.updated_at),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What the register knows of an order; more than one request is more than one should be."""

    asked: Sequence[Asked]
    closed_as: str | None = None
    closed_at: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Since when (microseconds) an order of so many lines is in a state."""

    updated_at: int
    order_key: bytes
    lines: int = 1

    @property
    def order_id(self) -> UUID:
        return UUID(bytes=self.order_key)


@dataclass(frozen=True, slots=True)
class _Entering:
    order_id: UUID
    asked: Asked
    at: int
    answer: "asyncio.Future[Known]"

    def parts(self) -> list[tuple[str, Sequence[object]]]:
        place = _place(State.HELD, self.order_id, self.at)
        note = (*place, len(self.asked.quantities), 0)
        return [("ask", (self.order_id, self.asked.text, 0)), ("note", note)]


class Register:
    """An order writes down what it asks for before it takes anything: so it can be found."""

    def __init__(self, bridge: Bridge, tasks: Tasks, *, keep_seconds: int) -> None:
        self._bridge = bridge
        self._tasks = tasks
        self._entering: list[_Entering] = []
        self._keep_seconds = keep_seconds

    async def known(self, order_id: UUID) -> Known:
        return _known(await self._bridge.ask("asked", order_id))

    async def enter(self, order_id: UUID, asked: Asked, *, at: int) -> Known:
        """Writes first and reads then, as closing does: of the two one sees the other.

        Orders that come at the same moment go together: a statement costs more than a row.
        """
        answer: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        self._entering.append(_Entering(order_id, asked, at, answer))
        if len(self._entering) == 1:
            self._tasks.start(self._enter_all(), name="orders entering")
        return await answer

    async def close(self, order_id: UUID, state: State, *, at: int) -> Known:
        """An id that may never be held from now on."""
        await self._bridge.ask("close_id", self._keep_seconds, state, at, order_id)
        return await self.known(order_id)

    async def refuse(self, order_id: UUID, asked: Asked, *, at: int) -> None:
        """Nothing is held: found for a while, in no list."""
        parts = [
            ("ask", (order_id, asked.text, REFUSED_SECONDS)),
            ("forget", _place(State.HELD, order_id, at)),
        ]
        await self._bridge.together("leave_order", parts)

    async def announce(self, order_id: UUID, asked: Asked, state: State, *, at: int) -> None:
        """Before the move: a note too many is harmless, a missing one is not."""
        note = (*_place(state, order_id, at), len(asked.quantities), self._keep_seconds)
        parts = [("ask", (order_id, asked.text, 2 * self._keep_seconds)), ("note", note)]
        await self._bridge.together("note_order", parts)

    async def forget(self, order_id: UUID, state: str, *, at: int) -> None:
        await self._bridge.ask("forget", *_place(state, order_id, at))

    async def notes(self, state: State, *, after: Note, until: int, limit: int) -> list[Note]:
        """The oldest behind ``after``; whether they still hold is for the books to say."""
        place = (after.updated_at, after.order_key, until, limit)
        answers = await asyncio.gather(
            *(self._bridge.ask("noted", state, shard, *place) for shard in range(SHARDS))
        )
        found = [[Note(at, bytes(key), lines) for at, key, lines in rows] for rows in answers]
        return list(heapq.merge(*found))[:limit]

    async def _enter_all(self) -> None:
        await asyncio.sleep(0)
        entering, self._entering = self._entering, []
        await asyncio.gather(*map(self._enter_together, _in_groups(entering)))

    async def _enter_together(self, entering: Sequence[_Entering]) -> None:
        try:
            parts = [part for each in entering for part in each.parts()]
            await self._bridge.together("enter_order", parts)
            order_ids = [each.order_id for each in entering]
            rows = await self._bridge.ask("asked_together", order_ids)
        except StoreAway as away:
            for each in entering:
                _settle(each.answer, away)
            return
        found: dict[UUID, list[Row]] = {order_id: [] for order_id in order_ids}
        for order_id, *row in rows:
            found[order_id].append(tuple(row))
        for each in entering:
            _settle(each.answer, _known(found[each.order_id]))


def _line(product_id: UUID, entry: Entry) -> ReservedLine:
    return ReservedLine(
        product_id=product_id, name=entry.name, price=entry.price, quantity=entry.quantity
    )


def _in_groups(entering: Sequence[_Entering]) -> list[list[_Entering]]:
    """A batch has a largest size: orders of many lines go alone."""
    long = [each for each in entering if len(each.asked.quantities) > LONG]
    short = [each for each in entering if len(each.asked.quantities) <= LONG]
    groups = [short[start : start + MERGED] for start in range(0, len(short), MERGED)]
    return [[each] for each in long] + groups


def _known(rows: Sequence[Row]) -> Known:
    asked = [Asked.parsed(row[0]) for row in rows if row[0] is not None]
    return Known(asked, rows[0][1], rows[0][2] or 0) if rows else Known(asked)


def _settle(answer: "asyncio.Future[Known]", outcome: Known | StoreAway) -> None:
    if answer.done():
        return
    if isinstance(outcome, StoreAway):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _place(state: str, order_id: UUID, at: int) -> tuple[object, ...]:
    """Orders of one second share a shard: those that enter together are one write there."""
    return state, at // SECOND % SHARDS, at, order_id.bytes
