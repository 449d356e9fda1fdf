"""Carts that outlive their process: the memory store, and a journal of what it changes.

A checkout that begins or ends is safe on the disk before anybody else hears of it.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from carts.domain import Cart, RecentViews, View
from carts.repositories import VIEWERS_LIMIT, MemoryCartRepository
from store.journal import Change, Journal

T = TypeVar("T")

CARTS, VIEWS = "carts", "views"

decode_cart = msgspec.json.Decoder(Cart).decode
decode_views = msgspec.json.Decoder(RecentViews).decode


class JournaledCarts(MemoryCartRepository):
    """The memory changes at once; whoever changed it goes on when the journal has it."""

    def __init__(self, journal: Journal, *, viewers_limit: int = VIEWERS_LIMIT) -> None:
        super().__init__(viewers_limit=viewers_limit)
        self._journal = journal
        for row in journal.take(CARTS).values():
            self._keep(decode_cart(row))
        for user, row in journal.take(VIEWS).items():
            self._keep_views(user, decode_views(row))
        journal.keep(self._rows)

    async def change(self, user: str, change: Callable[[Cart], T]) -> T:
        self._journal.admit()
        before = self._carts.get(user)
        result = await super().change(user, change)
        after = self._carts.get(user)
        if before == after:
            await self._journal.settled()
        else:
            is_checkout = _intent_of(before) != _intent_of(after)
            await self._journal.write([(CARTS, user, after)], synced=is_checkout)
        return result

    async def record_view(self, user: str, view: View) -> None:
        self._journal.admit()
        await super().record_view(user, view)
        await self._journal.write([(VIEWS, user, self._views[user])], synced=False)

    def _rows(self) -> Iterator[Change]:
        yield from ((CARTS, user, cart) for user, cart in list(self._carts.items()))
        yield from ((VIEWS, user, views) for user, views in list(self._views.items()))


def _intent_of(cart: Cart | None) -> object:
    return cart and cart.intent
