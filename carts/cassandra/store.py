"""Carts on Cassandra, behind the same promise as the store in memory, for several instances."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TypeVar
from uuid import uuid4
from weakref import WeakValueDictionary

from carts.cassandra.checkouts import Hint, OpenCheckouts
from carts.cassandra.filled import FilledCarts
from carts.cassandra.rows import LEASE_SECONDS, SECOND, CartRow, CartRows
from carts.cassandra.views import Views
from carts.domain import Cart, CheckoutIntent, RecentViews, View
from store.cassandra.bridge import Bridge, StoreAway
from store.clock import microseconds

T = TypeVar("T")

# Carts that are read at once.
AT_ONCE = 32


class CassandraCarts:
    """Each instance has a name of its own, under which it holds the checkouts it carries out."""

    def __init__(self, bridge: Bridge, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._me = uuid4()
        self._filled = FilledCarts(bridge)
        self._checkouts = OpenCheckouts(bridge)
        self._views = Views(bridge)
        self._rows = CartRows(bridge, announce=self._announce, tidy=self._tidy)
        self._leases: dict[CheckoutIntent, int] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def cart(self, user: str) -> Cart:
        return (await self._rows.read(user)).cart

    async def change(self, user: str, change: Callable[[Cart], T]) -> T:
        def changed(row: CartRow) -> tuple[CartRow, T]:
            cart, now = row.cart.copy(), self._now()
            result = change(cart)
            if cart == row.cart:
                return row, result
            after = row.followed_by(cart, now=now)
            begins = after.intent is not None and after.intent != row.intent
            return (after.held(self._me, now=now) if begins else after), result

        async with self._turn(user):
            return await self._rows.change(user, changed)

    async def page(self, *, after: str | None, limit: int) -> list[Cart]:
        found: list[Cart] = []
        while len(found) < limit:
            users = await self._filled.users(after=after, limit=limit)
            for row in await self._read(users):
                if row.cart.lines:
                    found.append(row.cart)
                elif row.version is not None:
                    await self._filled.drop(row)
            if len(users) < limit:
                break
            after = users[-1]
        return found[:limit]

    async def count(self) -> int:
        return await self._filled.count()

    async def open_intents(self) -> list[CheckoutIntent]:
        hints = await self._checkouts.every(now=self._now())
        rows = await self._read(hint.user for hint in hints)
        return [
            row.intent
            for hint, row in zip(hints, rows, strict=True)
            if row.intent is not None and row.intent.order_id == hint.order_id
        ]

    async def left_behind(self) -> list[CheckoutIntent]:
        now = self._now()
        taken = []
        for hint in await self._checkouts.lasting(now=now):
            # What cannot be read is looked at again.
            with suppress(StoreAway):
                taken.append(await self._taken(hint, now))
        return [intent for intent in taken if intent is not None]

    async def hold(self, intents: Iterable[CheckoutIntent]) -> None:
        leases = {intent: self._leases.get(intent, 0) for intent in intents}
        for intent, until in leases.items():
            if until <= self._soon():
                with suppress(StoreAway):
                    leases[intent] = await self._held(intent)
        self._leases = leases

    async def recent_views(self, user: str) -> RecentViews:
        return await self._views.recent(user)

    async def record_view(self, user: str, view: View) -> None:
        await self._views.record(user, view)

    async def _read(self, users: Iterable[str]) -> list[CartRow]:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def read(user: str) -> CartRow:
            async with at_once:
                return await self._rows.read(user)

        return await asyncio.gather(*map(read, users))

    async def _taken(self, hint: Hint, now: datetime) -> CheckoutIntent | None:
        """Its checkout, when nobody carried it out any more: from now on we do."""
        row = await self._rows.read(hint.user)
        if row.intent is None or row.intent.order_id != hint.order_id:
            await self._checkouts.drop(hint)
            return None
        if not row.is_free(now):
            return None

        def take(row: CartRow) -> tuple[CartRow, CheckoutIntent | None]:
            if row.intent is None or row.intent.order_id != hint.order_id or not row.is_free(now):
                return row, None
            return row.followed_by(row.cart, now=now).held(self._me, now=now), row.intent

        async with self._turn(hint.user):
            return await self._rows.change(hint.user, take)

    async def _held(self, intent: CheckoutIntent) -> int:
        """Until when it is; a lease that ends soon begins anew, and another's stays as it is."""
        soon, now = self._soon(), self._now()

        def hold(row: CartRow) -> tuple[CartRow, int]:
            if row.intent != intent or row.holder != self._me or row.held_until > soon:
                return row, row.held_until
            after = row.followed_by(row.cart, now=now).held(self._me, now=now)
            return after, after.held_until

        async with self._turn(intent.user):
            return await self._rows.change(intent.user, hold)

    def _soon(self) -> int:
        """When a lease ends that has to begin anew, in microseconds since 1970."""
        return microseconds(self._now()) + int(LEASE_SECONDS / 2 * SECOND)

    @asynccontextmanager
    async def _turn(self, user: str) -> AsyncIterator[None]:
        """One change of a cart at a time here: they would only get in each other's way."""
        turn = self._turns.setdefault(user, asyncio.Lock())
        async with turn:
            yield

    async def _announce(self, before: CartRow, after: CartRow) -> None:
        """Before the change: a hint too many is harmless, a missing one is not."""
        hints = []
        if after.cart.lines and not before.cart.lines:
            hints.append(self._filled.add(after))
        if after.intent is not None and after.intent != before.intent:
            hints.append(self._checkouts.note(after.intent))
        await asyncio.gather(*hints)

    async def _tidy(self, before: CartRow, after: CartRow) -> None:
        """After the change. What stays is found to be out of date, and dropped then."""
        hints = []
        if before.cart.lines and not after.cart.lines:
            hints.append(self._filled.drop(after))
        if before.intent is not None and after.intent != before.intent:
            hints.append(self._checkouts.forget(before.intent))
        with suppress(StoreAway):
            await asyncio.gather(*hints)
