"""What a person's orders come to, and how steps and a registration change it: rules alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID, uuid4

from accounts.domain import FINAL, OrderRecord, OrderUpdate, follow
from accounts.repositories import UPDATES_KEPT
from store.money import ZERO


@dataclass(frozen=True, slots=True)
class Told:
    """A step that somebody told us; by its mark it knows itself again."""

    update: OrderUpdate
    mark: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Registered:
    """The person is a user from now on."""


Request = Told | Registered


@dataclass(frozen=True, slots=True)
class Sum:
    """``version`` is None where nothing is written yet; ``arrived`` is the number of steps."""

    version: int | None = None
    arrived: int = 0
    spent: Decimal = ZERO
    is_registered: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is remembered of an order; ``mark`` is that of its newest step."""

    record: OrderRecord
    mark: UUID
    is_over: bool = False


class Round:
    """The decisions of one round, each on what those before it leave.

    ``orders`` has those that changed, ``steps`` what is new in the ring of the last 100, by
    place, each with its number: of two with one place only the later one is written.
    """

    def __init__(self, known: Sum, orders: Mapping[UUID, Order]) -> None:
        self.sum = known
        self.orders: dict[UUID, Order] = {}
        self.steps: dict[int, tuple[int, OrderUpdate]] = {}
        self._known = orders

    def outcome(self, request: Request) -> bool:
        """Whether it changed something, now or in a round whose outcome was not known."""
        if isinstance(request, Told):
            return self._step(request)
        is_new = not self.sum.is_registered
        self.sum = replace(self.sum, is_registered=True)
        return is_new

    def is_new(self, order_id: UUID) -> bool:
        """Whether nothing was known of it before this round."""
        return order_id not in self._known

    def _step(self, told: Told) -> bool:
        update = told.update
        before = self.orders.get(update.order_id) or self._known.get(update.order_id)
        record = follow(before.record if before else None, update)
        if record is None:
            return before is not None and before.mark == told.mark
        number, more = self.sum.arrived + 1, record.counted
        if before is not None:
            more -= before.record.counted
        self.sum = replace(self.sum, arrived=number, spent=self.sum.spent + more)
        self.orders[update.order_id] = Order(record, told.mark, update.status in FINAL)
        self.steps[number % UPDATES_KEPT] = (number, update)
        return True
