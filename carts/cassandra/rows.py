"""A cart as one row, and how it is changed: by compare-and-set on its version.

A change whose answer was lost is never sent again blindly: the row is read at SERIAL and either
has the change's id, or has not and gets the same change under another id, of which only one can
find the version that both expect.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID, uuid4

import msgspec

from carts.domain import CHECKOUT_LASTS, Cart, CheckoutIntent
from store.cassandra.bridge import Bridge, OutcomeUnknown, StoreAway
from store.clock import microseconds

T = TypeVar("T")

# How many changes may come between one whose answer was lost and the look for it.
CHANGES_KEPT = 16
ID_BYTES = 16
# A cart that holds nothing: long enough for whatever is still on its way.
EMPTY_KEPT_SECONDS = 24 * 3600
PATIENCE_SECONDS = 2.5
LONGEST_PAUSE_SECONDS = 0.05
# How long a checkout belongs to who carries it out; the longer it is open the longer, so that
# many that wait for orders cost little.
LEASE_SECONDS = 5.0
LEASE_SHARE = 0.25
SECOND = 1_000_000

_cart = msgspec.json.Decoder(Cart)


@dataclass(frozen=True, slots=True)
class CartRow:
    """``version`` is None where there is no row; moments are microseconds since 1970."""

    cart: Cart
    version: int | None = None
    changes: tuple[bytes, ...] = ()
    holder: UUID | None = None
    held_until: int = 0

    @property
    def intent(self) -> CheckoutIntent | None:
        return self.cart.intent

    def is_free(self, now: datetime) -> bool:
        """Whether its open checkout is in nobody's hands."""
        return self.held_until <= microseconds(now)

    def followed_by(self, cart: Cart, *, now: datetime) -> "CartRow":
        """The next version, which is later than all before even if those are forgotten."""
        version = max((self.version or 0) + 1, microseconds(now))
        changes = (uuid4().bytes, *self.changes)[:CHANGES_KEPT]
        return replace(self, cart=cart, version=version, changes=changes)

    def held(self, holder: UUID, *, now: datetime) -> "CartRow":
        """The same with a lease on its open checkout that begins now."""
        assert self.intent is not None
        age = (now - self.intent.valid_until + CHECKOUT_LASTS).total_seconds()
        lease = LEASE_SECONDS + LEASE_SHARE * max(0.0, age)
        return replace(self, holder=holder, held_until=microseconds(now) + int(lease * SECOND))


Change = Callable[[CartRow], tuple[CartRow, T]]
"""The row as it shall be, or the very same one, and what to answer. May run more than once."""


@dataclass(frozen=True, slots=True)
class _Try(Generic[T]):
    before: CartRow
    after: CartRow
    result: T


class CartRows:
    """The table ``carts``; ``announce`` comes before a change, ``tidy`` after it."""

    def __init__(
        self,
        bridge: Bridge,
        *,
        announce: Callable[[CartRow, CartRow], Awaitable[None]],
        tidy: Callable[[CartRow, CartRow], Awaitable[None]],
    ) -> None:
        self._bridge = bridge
        self._announce = announce
        self._tidy = tidy

    async def read(self, user: str, *, statement: str = "cart") -> CartRow:
        rows = await self._bridge.ask(statement, user)
        if not rows or rows[0][0] is None:
            return CartRow(Cart(user))
        version, cart, changes, holder, held_until = rows[0]
        ids = tuple(changes[at : at + ID_BYTES] for at in range(0, len(changes), ID_BYTES))
        return CartRow(_cart.decode(cart), version, ids, holder, held_until or 0)

    async def change(self, user: str, change: Change[T]) -> T:
        """Raises what ``change`` raises, StoreAway, and OutcomeUnknown when it may be done."""
        until = time.monotonic() + PATIENCE_SECONDS
        tried: dict[bytes, _Try[T]] = {}
        row = await self.read(user)
        while True:
            if made := _made(row, tried):
                await self._tidy(made.before, made.after)
                return made.result
            after, result = change(row)
            if after is row:
                return result
            tried[after.changes[0]] = _Try(row, after, result)
            if await self._put(row, after):
                await self._tidy(row, after)
                return result
            if time.monotonic() > until:
                raise OutcomeUnknown
            await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  # no secret
            row = await self._settled(user)

    async def _put(self, before: CartRow, after: CartRow) -> bool:
        """False when another change came first, or nobody knows. Raises StoreAway."""
        await self._announce(before, after)
        values = (after.version, msgspec.json.encode(after.cart).decode(), b"".join(after.changes))
        lease = (after.holder, after.held_until)
        seconds = EMPTY_KEPT_SECONDS if after.cart.is_forgettable else 0
        user = after.cart.user
        try:
            rows = await self._bridge.ask(
                "put_cart", seconds, *values, *lease, user, before.version
            )
        except OutcomeUnknown:
            return False
        return bool(rows[0][0])

    async def _settled(self, user: str) -> CartRow:
        """Whatever was under way is done or comes to nothing."""
        try:
            return await self.read(user, statement="settled_cart")
        except StoreAway:
            raise OutcomeUnknown from None


def _made(row: CartRow, tried: dict[bytes, _Try[T]]) -> _Try[T] | None:
    return next((tried[each] for each in row.changes if each in tried), None)
