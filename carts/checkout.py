"""The carts half of the checkout: an intent is kept, then ordered until there is an answer.

The work belongs to the service. A request waits for it; when the client hangs up or its time
is over, the work goes on, and the next checkout of the same cart joins it.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from carts import metrics
from carts.clients import Order, OrderRefused, OrdersClient, Placed
from carts.domain import (
    KEYS_LAST,
    Cart,
    CheckoutIntent,
    EmptyCart,
    order_id_after,
    order_id_for,
)
from carts.repositories import CartRepository
from store import tracing
from store.errors import ShopError, Unavailable
from store.http import PeerAway
from store.retries import RetryBudget
from store.tasks import Tasks

T = TypeVar("T")

PATIENCE_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
# Between two machines, at most.
CLOCKS_DIFFER = timedelta(seconds=30)
WATCH_SECONDS = 1.0

Outcome = Order | ShopError
"""Errors are outcomes like any other here: everyone who waits is told."""

log = logging.getLogger(__name__)


class CheckoutRunning(Unavailable):
    code = "checkout_running"
    detail = "The order is still being placed; check out again to learn what became of it."


class _KeyLapsed(ShopError):
    """Orders still knows an order under this key, but the key means another one by now."""


class CheckoutService:
    def __init__(
        self,
        repository: CartRepository,
        orders: OrdersClient,
        tasks: Tasks,
        *,
        now: Callable[[], datetime],
        patience: float = PATIENCE_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._repository = repository
        self._orders = orders
        self._tasks = tasks
        self._now = now
        self._patience = patience
        self._pause = pause
        self._budget = RetryBudget()
        self._running: dict[CheckoutIntent, asyncio.Task[Outcome]] = {}

    async def place(self, user: str, *, key: str | None = None) -> Order:
        """The order of all that is in the user's cart, or of the checkout that is running.

        Raises EmptyCart, OrderRefused when it can not be had, PeerAway when nothing was begun.
        """
        order_id = order_id_for(user, key)
        while True:
            try:
                return await self._order_under(user, order_id, key=key)
            except _KeyLapsed:
                order_id = order_id_after(order_id)

    async def in_time(self, waiting: Awaitable[T]) -> T:
        """What ``waiting`` brings. Raises CheckoutRunning when that takes too long."""
        try:
            async with asyncio.timeout(self._patience):
                return await waiting
        except TimeoutError:
            metrics.checkout_failed(CheckoutRunning.code)
            raise CheckoutRunning from None

    def running(self) -> int:
        """How many checkouts have no outcome yet."""
        return len(self._running)

    async def resume(self) -> None:
        """Takes up the checkouts that were running when this service, or another, ended."""
        for intent in await self._repository.left_behind():
            if intent not in self._running:
                self._start(intent, self._find_out)

    async def watch(self) -> None:
        """Where several instances share the carts: for ever looks after those of the dead."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            with contextlib.suppress(Unavailable):
                await self._repository.hold(list(self._running))
                await self.resume()

    async def _order_under(self, user: str, order_id: UUID, *, key: str | None) -> Order:
        try:
            return await self._order_of_cart(user, order_id)
        except EmptyCart:
            if key is None:
                raise
        # The answer to the key may have been lost: then the cart is empty because of its order.
        order = await self._orders.find(user, order_id)
        if order is None:
            raise EmptyCart
        if self._is_of_a_lapsed_key(order):
            raise _KeyLapsed
        return order

    async def _order_of_cart(self, user: str, order_id: UUID) -> Order:
        # An intent that is being kept has somebody who carries it out, whoever hangs up.
        beginning = self._tasks.start(self._begun(user, order_id), name="checkout begins")
        begun = await asyncio.shield(beginning)
        outcome = begun if isinstance(begun, ShopError) else await asyncio.shield(begun)
        if isinstance(outcome, ShopError):
            raise outcome
        return outcome

    async def _begun(self, user: str, order_id: UUID) -> "asyncio.Task[Outcome] | ShopError":
        try:
            intent, work = await self._repository.change(
                user, lambda cart: self._begin(cart, order_id)
            )
        except ShopError as refusal:
            return refusal
        return self._running.get(intent) or self._start(intent, work)

    def _begin(self, cart: Cart, order_id: UUID) -> tuple[CheckoutIntent, "Work"]:
        """The cart's intent and how to carry it out, should nobody be doing so."""
        work = self._order if cart.intent is None else self._find_out
        return cart.begin_checkout(order_id, now=self._now()), work

    def _start(self, intent: CheckoutIntent, work: "Work") -> asyncio.Task[Outcome]:
        tracing.tracer.about(intent.order_id)
        ended = self._to_its_end(intent, work)
        task = self._tasks.start(ended, name=f"checkout {intent.order_id}")
        self._running[intent] = task
        task.add_done_callback(lambda _: self._running.pop(intent, None))
        return task

    async def _to_its_end(self, intent: CheckoutIntent, work: "Work") -> Outcome:
        """Also while carts itself can keep nothing, because its disk is full, say."""
        while True:
            try:
                return await work(intent)
            except Unavailable as away:
                log.warning("The end of order %s cannot be kept now: %s", intent.order_id, away)
            await self._pause(LONGEST_PAUSE_SECONDS)
            work = self._find_out

    async def _order(self, intent: CheckoutIntent) -> Outcome:
        """The first attempt: nothing of this intent was sent before."""
        try:
            async with self._budget.turn(1):
                placed = await self._orders.place(intent)
        except PeerAway as away:
            if away.sent:
                log.warning("What became of order %s is not known yet", intent.order_id)
                return await self._find_out(intent)
            await self._repository.change(intent.user, lambda cart: cart.close_checkout(intent))
            metrics.checkout_failed(away.word)
            return away
        except ShopError as refusal:
            return await self._refused(intent, refusal)
        # An order that stood under this id before bought another cart, and was counted then; one
        # that is known though it is ours came of this very message, which arrived twice.
        is_ours = placed.is_new or _is_made_since(intent.began_at - CLOCKS_DIFFER, placed.order)
        return await self._placed(intent, placed, is_ours=is_ours and placed.is_as_meant)

    async def _find_out(self, intent: CheckoutIntent) -> Outcome:
        """Repeats the request until orders says what became of it.

        Orders begins nothing after ``valid_until``, so there will be an answer.
        """
        pauses, attempts = _growing_pauses(), count(2)
        while True:
            await self._pause(next(pauses))
            try:
                async with self._budget.turn(next(attempts)):
                    placed = await self._orders.place(intent)
            except PeerAway:
                continue
            except ShopError as refusal:
                return await self._refused(intent, refusal)
            return await self._placed(intent, placed, is_ours=placed.is_as_meant)

    async def _placed(self, intent: CheckoutIntent, placed: Placed, *, is_ours: bool) -> Outcome:
        end = Cart.take_bought if is_ours else Cart.close_checkout
        has_ended = await self._repository.change(intent.user, lambda cart: end(cart, intent))
        if is_ours and has_ended:
            metrics.checked_out(intent)
        if not is_ours and self._is_of_a_lapsed_key(placed.order):
            return _KeyLapsed()
        return placed.order

    async def _refused(self, intent: CheckoutIntent, refusal: ShopError) -> ShopError:
        prices = refusal.prices if isinstance(refusal, OrderRefused) else {}

        def refuse(cart: Cart) -> None:
            if cart.close_checkout(intent):
                cart.reprice(prices)

        await self._repository.change(intent.user, refuse)
        metrics.checkout_failed(refusal.word)
        return refusal

    def _is_of_a_lapsed_key(self, order: Order) -> bool:
        """Whether ``order``, which an earlier checkout made, is older than keys are good for."""
        return not _is_made_since(self._now() - KEYS_LAST, order)


Work = Callable[[CheckoutIntent], Coroutine[Any, Any, Outcome]]


def _is_made_since(moment: datetime, order: Order) -> bool:
    """Also where the order does not say when it was made."""
    try:
        return datetime.fromisoformat(order["created_at"]) >= moment
    except (KeyError, TypeError, ValueError):
        return True


def _growing_pauses() -> Iterator[float]:
    """Seconds between attempts, with some chance in them so that callers do not march in step."""
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)
