"""What a user can do with a cart, short of buying it: that is ``carts.checkout``."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from carts import metrics
from carts.clients import CatalogClient
from carts.domain import Cart, CartLine, CheckoutIntent, RecentViews, View
from carts.repositories import CartRepository


class CartService:
    """The catalog is asked first and the cart is changed afterwards, in one atomic step:
    what happened to the cart while the catalog was asked is never overwritten."""

    def __init__(
        self,
        repository: CartRepository,
        catalog: CatalogClient,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._catalog = catalog
        self._now = now

    async def cart(self, user: str) -> Cart:
        return await self._repository.cart(user)

    async def add(self, user: str, product_id: UUID, *, quantity: int) -> CartLine:
        product = await self._catalog.product(product_id)
        line = await self._repository.change(user, lambda cart: cart.add(product, quantity))
        metrics.item_added(product.name)
        return line

    async def set_quantity(self, user: str, item_id: UUID, *, quantity: int) -> CartLine:
        line = (await self._repository.cart(user)).line(item_id)
        product = await self._catalog.product(line.product_id)
        return await self._repository.change(
            user, lambda cart: cart.set_quantity(item_id, product, quantity)
        )

    async def remove(self, user: str, item_id: UUID) -> None:
        await self._repository.change(user, lambda cart: cart.remove(item_id))

    async def clear(self, user: str) -> None:
        await self._repository.change(user, Cart.clear)

    async def carts(
        self, *, user: str | None = None, after: str | None = None, limit: int
    ) -> tuple[list[Cart], bool]:
        """A page of the carts that hold something, by user, and whether more follow."""
        if user is not None:
            cart = await self._repository.cart(user)
            return [cart] if cart.lines else [], False
        carts = await self._repository.page(after=after, limit=limit + 1)
        return carts[:limit], len(carts) > limit

    async def open_checkouts(
        self, *, after: str | None = None, limit: int
    ) -> tuple[list[CheckoutIntent], bool]:
        """A page of the checkouts whose outcome is not known, by user, and whether more follow."""
        intents = sorted(await self._repository.open_intents(), key=lambda intent: intent.user)
        found = [intent for intent in intents if after is None or intent.user > after]
        return found[:limit], len(found) > limit

    async def count(self) -> int:
        """How many carts hold something."""
        return await self._repository.count()

    async def record_view(self, user: str, product_id: UUID) -> None:
        await self._catalog.product(product_id)
        await self._repository.record_view(user, View(product_id, self._now()))

    async def recent_views(self, user: str) -> RecentViews:
        return await self._repository.recent_views(user)
