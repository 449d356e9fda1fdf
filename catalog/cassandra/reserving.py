"""Reservations of orders on Cassandra: all lines or none, through any crash in between."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from catalog.cassandra import movements
from catalog.cassandra.desks import Desks
from catalog.cassandra.entries import OPEN, Entries
from catalog.cassandra.movements import MAKING, Entry, Gone, Short
from catalog.cassandra.register import SECOND, Asked, Note, Register
from catalog.domain import (
    ProductSummary,
    ProductUnavailable,
    Reservation,
    ReservationClosed,
    ReservationMismatch,
    State,
)
from store.cassandra.bridge import StoreAway
from store.clock import microseconds, moment

FIRST = Note(-1, b"")
# An order is made within a second; what is still being made after so long was left behind.
LEFT_BEHIND_SECONDS = 10


class Shelf(Protocol):
    """Name and price of a product that is for sale."""

    async def find(self, product_ids: Sequence[UUID]) -> Mapping[UUID, ProductSummary]: ...


class Reservations:
    """What holds, sells and gives back, product by product through the desks."""

    def __init__(self, desks: Desks, register: Register, shelf: Shelf) -> None:
        self._desks = desks
        self._entries = Entries(desks)
        self._register = register
        self._shelf = shelf
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def reserve(
        self, order_id: UUID, user_id: str, quantities: Mapping[UUID, int], *, now: datetime
    ) -> Reservation:
        asked = Asked.of(user_id, quantities)
        async with self._alone(order_id):
            wanted = await self._wanted(order_id, quantities, microseconds(now))
            if wanted is None:
                return await self._asked_again(order_id, asked, quantities)
            known = await self._register.enter(order_id, asked, at=microseconds(now))
            if known.closed_as:
                await self._register.refuse(order_id, asked, at=microseconds(now))
                raise ReservationClosed(facts={"state": known.closed_as})
            if len(known.asked) > 1 and await self._entries.true_one(order_id, known) not in (
                None,
                asked,
            ):
                return await self._asked_again(order_id, asked, quantities)
            return await self._hold(order_id, asked, wanted)

    async def settle(self, order_id: UUID, state: State, *, now: datetime) -> Reservation | None:
        at = microseconds(now)
        async with self._alone(order_id):
            known = await self._register.known(order_id)
            asked = await self._entries.true_one(order_id, known)
            if asked is not None:
                return await self._moved(order_id, asked, state, at=at)
            if known.closed_as:
                ended_at = moment(known.closed_at)
                return Reservation.marker(order_id, State(known.closed_as), now=ended_at)
            return None if state is State.SOLD else await self._bar(order_id, state, at=at)

    async def page(
        self,
        state: State,
        *,
        until: datetime,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
    ) -> Sequence[Reservation]:
        """Notes that do not hold any more are passed over, and taken out when they are old."""
        last = Note(microseconds(after[0]), after[1].bytes) if after else FIRST
        found: list[Reservation] = []
        while len(found) < limit:
            notes = await self._register.notes(
                state, after=last, until=microseconds(until), limit=limit
            )
            looked_up = await asyncio.gather(*(self._noted(each, state) for each in notes))
            found += [reservation for reservation in looked_up if reservation is not None]
            if state is State.HELD:
                old = microseconds(until) - LEFT_BEHIND_SECONDS * SECOND
                pairs = zip(notes, looked_up, strict=True)
                stale = [note for note, is_so in pairs if not is_so and note.updated_at < old]
                await asyncio.gather(*map(self.finish, stale))
            if len(notes) < limit:
                break
            last = notes[-1]
        return found[:limit]

    async def finish(self, note: Note) -> bool:
        """Undoes an order that was left half made, or ends what its home has ended.

        Whether anything was given back.
        """
        order_id = note.order_id
        async with self._alone(order_id):
            known = await self._register.known(order_id)
            homes = [(each, await self._entries.home(order_id, each)) for each in known.asked]
            held = [home for _, home in homes if home is not None and home.state == State.HELD]
            if not held:
                await self._end(note, homes)
            if not any(home.updated_at == note.updated_at for home in held):
                await self._register.forget(order_id, State.HELD, at=note.updated_at)
            return not held and any(home is not None for _, home in homes)

    async def _end(self, note: Note, homes: Sequence[tuple[Asked, Entry | None]]) -> None:
        for asked, home in homes:
            if home is None or home.state == MAKING:
                undo = movements.undo_for_good
                await self._undo(note.order_id, asked, note.updated_at, undo)
            else:
                await self._entries.follow(note.order_id, asked, home)

    def _alone(self, order_id: UUID) -> asyncio.Lock:
        """Calls about one order come one at a time here; between instances the entries decide."""
        return self._locks.setdefault(order_id, asyncio.Lock())

    async def _wanted(
        self, order_id: UUID, quantities: Mapping[UUID, int], at: int
    ) -> list[tuple[UUID, Entry]] | None:
        """The entries to make, by product id; None when a product is gone but the order is known.

        Raises ProductUnavailable.
        """
        products = await self._shelf.find(list(quantities))
        gone = [product_id for product_id in quantities if product_id not in products]
        if gone:
            if (await self._register.known(order_id)).asked:
                return None
            raise ProductUnavailable(gone)
        places = {product_id: place for place, product_id in enumerate(quantities)}
        state = MAKING if len(quantities) > 1 else State.HELD
        return [
            (
                product_id,
                Entry(
                    order_id=order_id,
                    quantity=quantities[product_id],
                    state=State.HELD if number else state,
                    place=places[product_id],
                    name=products[product_id].name,
                    price=products[product_id].price,
                    created_at=at,
                    updated_at=at,
                ),
            )
            for number, product_id in enumerate(sorted(quantities, key=lambda each: each.int))
        ]

    async def _hold(
        self, order_id: UUID, asked: Asked, wanted: Sequence[tuple[UUID, Entry]]
    ) -> Reservation:
        """The home first, and last once more when all the others are held."""
        entries: list[tuple[UUID, Entry]] = []
        for place, (product_id, entry) in enumerate(wanted):
            try:
                moved = await self._desks.move(product_id, movements.take(entry), order_id=order_id)
            except (Gone, Short) as refusal:
                short = await self._entries.shortage(wanted[place:], refusal)
                await self._undo(order_id, asked, wanted[0][1].created_at, movements.undo)
                raise short from None
            held = moved.entry
            assert held is not None
            if place == 0 and held.state != entry.state:
                return self._repeated(asked, await self._entries.all(order_id, asked))
            entries.append((product_id, held))
        home, first = entries[0]
        if first.state == MAKING:
            done = await self._desks.move(home, movements.complete, order_id=order_id)
            if done.entry is None or done.entry.state != State.HELD:
                # Somebody ended or undid it meanwhile; the lines follow.
                await self._entries.follow(order_id, asked, done.entry)
                raise ReservationClosed if done.entry else StoreAway
            entries[0] = (home, done.entry)
        return self._repeated(asked, entries)

    async def _undo(
        self, order_id: UUID, asked: Asked, noted_at: int, undo: movements.Movement
    ) -> None:
        if await self._entries.undo(order_id, asked, undo):
            await self._register.refuse(order_id, asked, at=noted_at)

    async def _asked_again(
        self, order_id: UUID, asked: Asked, quantities: Mapping[UUID, int]
    ) -> Reservation:
        """Raises ReservationClosed, ReservationMismatch."""
        known = await self._register.known(order_id)
        true_one = await self._entries.true_one(order_id, known)
        if true_one is None:
            raise ProductUnavailable(quantities)
        entries = await self._entries.all(order_id, true_one)
        if true_one != asked and entries[0][1].state in (*OPEN, State.SOLD):
            raise ReservationMismatch
        return self._repeated(asked, entries)

    def _repeated(self, asked: Asked, entries: Sequence[tuple[UUID, Entry]]) -> Reservation:
        """Raises ReservationClosed."""
        reservation = asked.reservation(entries)
        quantities = dict(asked.quantities)
        if reservation.state in (State.RELEASED, State.RETURNED):
            raise ReservationClosed(facts={"state": reservation.state})
        return reservation.asked_again(asked.user_id, quantities)

    async def _moved(
        self, order_id: UUID, asked: Asked, state: State, *, at: int
    ) -> Reservation | None:
        before = await self._entries.home(order_id, asked)
        if before is None or (before.state == MAKING and state is State.SOLD):
            return None
        await self._register.announce(order_id, asked, state, at=at)
        home = await self._entries.settle_home(order_id, asked, state, at=at)
        await self._entries.follow(order_id, asked, home)
        # What was noted and did not come to pass, and what was and is no more.
        if home.updated_at != at or home.state != state:
            await self._register.forget(order_id, state, at=at)
        elif before != home:
            origin = State.HELD if before.state == MAKING else before.state
            await self._register.forget(order_id, origin, at=before.updated_at)
        return asked.reservation(await self._entries.all(order_id, asked))

    async def _bar(self, order_id: UUID, state: State, *, at: int) -> Reservation | None:
        """The id may never be held; None unless somebody held it at this very moment."""
        known = await self._register.close(order_id, state, at=at)
        for asked in known.asked:
            with suppress(Gone):
                home = await self._entries.settle_home(order_id, asked, state, at=at)
                await self._entries.follow(order_id, asked, home)
                if home.quantity:
                    return asked.reservation(await self._entries.all(order_id, asked))
        return None

    async def _noted(self, note: Note, state: State) -> Reservation | None:
        """The reservation, if it is what its note says."""
        asked = await self._entries.true_one(
            note.order_id, await self._register.known(note.order_id)
        )
        if asked is None:
            return None
        entries = await self._entries.all(note.order_id, asked)
        if not entries or entries[0][0] != asked.home:
            return None
        reservation = asked.reservation(entries)
        is_so = reservation.state == state and entries[0][1].updated_at == note.updated_at
        return reservation if is_so else None
