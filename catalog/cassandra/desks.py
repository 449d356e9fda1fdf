"""Stock by conditional batches: requests for one product that wait together go in one.

A round reads the orders' entries, decides in memory, and writes books and entries on condition
that the books are still those it knew. Whatever it cannot know (a lost answer, another
instance's batch) makes it read the books anew, decisively, and decide again: a request finds
there what it did before. Nothing is ever sent again blindly.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.cassandra.movements import Entry, Gone, Moved, Movement, Short
from catalog.domain import State, StockLine
from store.cassandra.bridge import Bridge, OutcomeUnknown, Row
from store.cassandra.merging import Merging
from store.errors import ShopError
from store.tasks import Tasks

MERGED = 128
REMEMBERED = 10_000
Refusal = Gone | Short | ShopError


@dataclass(frozen=True, slots=True)
class Books:
    """The books at some version; None where no batch has written any yet."""

    line: StockLine | None
    version: int | None
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class _Request:
    order_id: UUID | None
    movement: Movement


class Desks:
    """What asks for one product at the same time is decided together."""

    def __init__(
        self,
        bridge: Bridge,
        tasks: Tasks,
        *,
        keep_seconds: int,
        moved: Callable[[UUID, int, int], None],
    ) -> None:
        """``moved(product_id, before, after)`` hears of what is available; entries of ended
        orders are kept for ``keep_seconds``.
        """
        self._bridge = bridge
        self._keep_seconds = keep_seconds
        self._moved = moved
        self._desks: Merging[UUID, _Request, Moved | Refusal] = Merging(
            tasks, self._round, name="stock", most=MERGED
        )
        self._known: OrderedDict[UUID, Books] = OrderedDict()

    async def move(
        self, product_id: UUID, movement: Movement, *, order_id: UUID | None = None
    ) -> Moved:
        """Raises what the movement raises, and StoreAway."""
        outcome = await self._desks.ask(product_id, _Request(order_id, movement))
        if isinstance(outcome, Moved):
            return outcome
        raise outcome

    async def books(self, product_id: UUID) -> StockLine | None:
        """As a decision would see them; those of a product that never moved say so."""
        return (await self._read(product_id)).line

    async def page(self, *, limit: int, after: UUID | None) -> tuple[list[StockLine], UUID | None]:
        """Books in the order of the ring, without settling what is in flight."""
        if after is None:
            rows = await self._bridge.ask("first_books", limit)
        else:
            rows = await self._bridge.ask("books_after", after, limit)
        lines = [
            line_of(product_id, counts, is_open=is_open)
            for product_id, *counts, is_open in rows
            if is_open is not None
        ]
        return lines, rows[-1][0] if len(rows) == limit else None

    async def entries(self, product_id: UUID, order_ids: Sequence[UUID]) -> dict[UUID, Entry]:
        rows = await self._bridge.ask("entries", product_id, list(order_ids))
        return {entry.order_id: entry for entry in map(_entry, rows)}

    async def _round(
        self, product_id: UUID, requests: Sequence[_Request]
    ) -> Sequence[Moved | Refusal] | None:
        """None where it is not to be known what becomes of them."""
        books = self._known.pop(product_id, None) or await self._read(product_id)
        order_ids = {each.order_id for each in requests if each.order_id is not None}
        entries = await self.entries(product_id, list(order_ids)) if order_ids else {}
        round_ = _Round(books.line, dict(entries))
        outcomes = [round_.outcome(each.order_id, each.movement) for each in requests]
        if round_.line == books.line and not round_.written:
            if not books.is_fresh:
                return None  # the books are read anew, and may say otherwise
            self._remember(product_id, books.line, books.version)
        elif not await self._write(product_id, books, round_):
            return None
        return outcomes

    async def _write(self, product_id: UUID, books: Books, round_: "_Round") -> bool:
        assert round_.line is not None
        version = (books.version or 0) + 1
        parts: list[tuple[str, Sequence[object]]] = [
            ("move_books", _books_values(round_.line, version, books.version))
        ]
        parts += [self._part(product_id, key, entry) for key, entry in round_.written.items()]
        try:
            answer = await self._bridge.together("move_stock", parts)
        except OutcomeUnknown:
            return False
        if not answer[0][0]:
            return False
        self._remember(product_id, round_.line, version)
        before = books.line.available if books.line else 0
        self._moved(product_id, before, round_.line.available)
        return True

    def _part(
        self, product_id: UUID, order_id: UUID, entry: Entry | None
    ) -> tuple[str, Sequence[object]]:
        if entry is None:
            return "drop_entry", (product_id, order_id)
        is_over = entry.state not in (State.HELD, "making")
        seconds = self._keep_seconds if is_over else 0
        values = (entry.quantity, entry.state, entry.place, entry.name, entry.price)
        moments = (entry.created_at, entry.updated_at)
        return "put_entry", (seconds, *values, *moments, product_id, order_id)

    async def _read(self, product_id: UUID) -> Books:
        rows = await self._bridge.ask("books", product_id)
        if rows and rows[0][0] is not None:
            version, *counts, is_open = rows[0]
            line = line_of(product_id, counts, is_open=is_open)
            return Books(line, version, is_fresh=True)
        rows = await self._bridge.ask("settled_product", product_id)
        if not rows:
            return Books(None, None, is_fresh=True)
        # Nothing of it was ever taken or set: what was put in is what is there.
        count = max(0, rows[0][4] or 0)
        line = StockLine(product_id=product_id, initial=count, available=count)
        return Books(line, None, is_fresh=True)

    def _remember(self, product_id: UUID, line: StockLine | None, version: int | None) -> None:
        self._known[product_id] = Books(line, version, is_fresh=False)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


class _Round:
    """The decisions of one round, each on what those before it leave."""

    def __init__(self, line: StockLine | None, entries: dict[UUID, Entry]) -> None:
        self.line = line
        self.written: dict[UUID, Entry | None] = {}
        self._entries = entries

    def outcome(self, order_id: UUID | None, movement: Movement) -> Moved | Refusal:
        entry = self._entries.get(order_id) if order_id is not None else None
        try:
            moved = movement(self.line, entry)
        except (Gone, Short, ShopError) as refusal:
            return refusal
        self.line = moved.line
        if order_id is not None and (moved.is_written or moved.entry != entry):
            self.written[order_id] = moved.entry
            self._entries.pop(order_id, None)
            if moved.entry is not None:
                self._entries[order_id] = moved.entry
        return moved


def line_of(product_id: UUID, counts: Sequence[int], *, is_open: bool) -> StockLine:
    """``counts`` in the order of the statements."""
    initial, available, adjustments, reserved, sold, withdrawn = counts
    return StockLine(
        product_id=product_id,
        initial=initial,
        available=available,
        adjustments=adjustments,
        reserved=reserved,
        sold=sold,
        withdrawn=withdrawn,
        is_open=is_open,
    )


def _books_values(line: StockLine, version: int, known: int | None) -> tuple[object, ...]:
    counts = (line.initial, line.available, line.adjustments)
    placed = (line.reserved, line.sold, line.withdrawn, line.is_open)
    return (version, *counts, *placed, line.product_id, known)


def _entry(row: Row) -> Entry:
    order_id, quantity, state, place, name, price, created_at, updated_at = row
    return Entry(
        order_id=order_id,
        quantity=quantity,
        state=state,
        place=place,
        name=name,
        price=price,
        created_at=created_at,
        updated_at=updated_at,
    )
