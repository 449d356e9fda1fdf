"""Where carts and recent views are kept: the promise, and the store in this process's memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol, TypeVar

from sortedcontainers import SortedSet

from carts.domain import Cart, CheckoutIntent, RecentViews, View

T = TypeVar("T")

VIEWERS_LIMIT = 100_000


class CartRepository(Protocol):
    """Carts by user, each with its open checkout in one piece, and recent views by user.

    What is handed out is a snapshot; a cart is written through ``change`` alone.
    """

    async def cart(self, user: str) -> Cart:
        """The user's cart; an empty one where nothing is kept."""

    async def change(self, user: str, change: Callable[[Cart], T]) -> T:
        """Applies ``change`` to the user's cart and keeps the outcome, as one atomic step.

        Keeps nothing when ``change`` raises. ``change`` does no I/O and may run more than
        once. Returns when all that it saw and did is kept as safely as this store can.
        """

    async def page(self, *, after: str | None, limit: int) -> list[Cart]:
        """The carts that hold something, by user, those behind ``after``."""

    async def count(self) -> int:
        """How many carts hold something."""

    async def open_intents(self) -> list[CheckoutIntent]:
        """The checkouts whose outcome is not known yet, whoever carries them out."""

    async def left_behind(self) -> list[CheckoutIntent]:
        """Those that nobody carries out any more, and perhaps some of the caller's own; from now
        on they are in the caller's hands.
        """

    async def hold(self, intents: Iterable[CheckoutIntent]) -> None:
        """Said every second or so of those that the caller carries out: else another takes them."""

    async def recent_views(self, user: str) -> RecentViews: ...

    async def record_view(self, user: str, view: View) -> None: ...


class MemoryCartRepository:
    """Plain objects; no await between reading and writing one, so each change is atomic.

    A cart that holds nothing is dropped, and beyond ``viewers_limit`` users the views of
    the one who has not looked at anything for longest.
    """

    def __init__(self, *, viewers_limit: int = VIEWERS_LIMIT) -> None:
        self._carts: dict[str, Cart] = {}
        self._users_with_lines: SortedSet = SortedSet()
        self._views: OrderedDict[str, RecentViews] = OrderedDict()
        self._viewers_limit = viewers_limit

    async def cart(self, user: str) -> Cart:
        return self._snapshot(user)

    async def change(self, user: str, change: Callable[[Cart], T]) -> T:
        cart = self._snapshot(user)
        result = change(cart)
        self._keep(cart)
        return result

    async def page(self, *, after: str | None, limit: int) -> list[Cart]:
        users = self._users_with_lines.irange(minimum=after, inclusive=(False, True))
        return [self._snapshot(user) for user in islice(users, limit)]

    async def count(self) -> int:
        return len(self._users_with_lines)

    async def open_intents(self) -> list[CheckoutIntent]:
        return [cart.intent for cart in self._carts.values() if cart.intent is not None]

    async def left_behind(self) -> list[CheckoutIntent]:
        return await self.open_intents()

    async def hold(self, intents: Iterable[CheckoutIntent]) -> None:
        """There is nobody else."""

    async def recent_views(self, user: str) -> RecentViews:
        return self._views.get(user, RecentViews())

    async def record_view(self, user: str, view: View) -> None:
        self._keep_views(user, self._views.get(user, RecentViews()).with_view(view))

    def _snapshot(self, user: str) -> Cart:
        kept = self._carts.get(user)
        return Cart(user) if kept is None else kept.copy()

    def _keep_views(self, user: str, views: RecentViews) -> None:
        self._views[user] = views
        self._views.move_to_end(user)
        if len(self._views) > self._viewers_limit:
            self._views.popitem(last=False)

    def _keep(self, cart: Cart) -> None:
        if cart.is_forgettable:
            self._carts.pop(cart.user, None)
        else:
            self._carts[cart.user] = cart
        if cart.lines:
            self._users_with_lines.add(cart.user)
        else:
            self._users_with_lines.discard(cart.user)
