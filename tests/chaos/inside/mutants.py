"""The guards of the shop, and how each is taken away in the process that has it.

Patched when its module has been imported, for a process imports nothing of the shop this early.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def stock(catalog: ModuleType) -> None:
    """More is held than there is."""

    def lines(self: Any, quantities: Any) -> Any:
        products = [self._products[product_id.int] for product_id in quantities]
        return tuple(
            catalog.ReservedLine(
                product_id=each.product_id,
                name=each.name,
                price=each.price,
                quantity=quantities[each.product_id],
            )
            for each in products
        )

    catalog.MemoryCatalog._reserved_lines = lines


def idempotency(domain: ModuleType) -> None:
    """Every checkout has an id of its own, and none joins the one that is running."""
    domain.order_id_for = lambda *_: domain.uuid4()

    def begin(self: Any, order_id: Any, *, now: Any) -> Any:
        lines = tuple(self.lines.values())
        if not lines:
            raise domain.EmptyCart
        self.intent = domain.CheckoutIntent(self.user, order_id, lines, now + domain.CHECKOUT_LASTS)
        return self.intent

    domain.Cart.begin_checkout = begin


def outbox(module: ModuleType) -> None:
    """News is taken for delivered when it was only sent."""

    async def sent(self: Any, messages: Any) -> None:
        with suppress(module.PeerAway, module.PeerRefused):
            await self._courier.deliver(messages)

    module.Relay._sent = sent


def signature(tokens: ModuleType) -> None:
    """A token is believed whoever has signed it."""
    import jwt

    tokens.verified_claims = lambda token: jwt.decode(token, options={"verify_signature": False})


def journal(writer: ModuleType) -> None:
    """An answer does not wait for the disk, and nothing gets there."""

    async def write(self: Any, changes: Any, *, synced: bool) -> None:
        return None

    writer.Journal.write = write


def breaker(module: ModuleType) -> None:
    """A peer that is away is asked by everyone, until each has waited for as long as it will."""
    module.Breaker.admits = lambda _: True


def crowding(module: ModuleType) -> None:
    """Whoever comes is let in, however many there are."""
    module.Admission.admits = lambda *_: True


def version(memory: ModuleType) -> None:
    """Whoever changes an order does so whatever it has become meanwhile."""

    def present(self: Any, order_id: Any, version: int) -> Any:
        known = self._known.get(order_id.int)
        return known if isinstance(known, memory.Order) else None

    memory.MemoryOrders._present = present


def owner(order: ModuleType) -> None:
    """Everybody may do with an order what its owner may."""
    order.Order.role_of = lambda *_: order.Role.OWNER


GUARDS: dict[str, tuple[str, Callable[[ModuleType], None]]] = {
    "stock": ("catalog.repositories", stock),
    "idempotency": ("carts.domain", idempotency),
    "outbox": ("orders.outbox", outbox),
    "signature": ("store.tokens", signature),
    "journal": ("store.journal.writer", journal),
    "breaker": ("store.breaker", breaker),
    "version": ("orders.memory", version),
    "owner": ("orders.domain.order", owner),
    "crowding": ("store.admission", crowding),
}


class _AfterImport(MetaPathFinder):
    def __init__(self, module: str, patch: Callable[[ModuleType], None]) -> None:
        self._module, self._patch = module, patch

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def executed(module: ModuleType) -> None:
                execute(module)
                self._patch(module)

            spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def switch_off(guard: str) -> None:
    """Raises KeyError."""
    sys.meta_path.insert(0, _AfterImport(*GUARDS[guard]))
