"""An order, the one that is still being made, and what stays of an id when either is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from orders.domain.errors import (
    CancellationForbidden,
    IllegalTransition,
    NotYourOrder,
    PriceChanged,
    ProductTwice,
    TotalMismatch,
)
from orders.domain.lifecycle import LIFECYCLE, Role, Stage, Status, Timetable
from store import money
from store.errors import Conflict

KEPT_AFTER_ITS_END = timedelta(hours=24)


class Actor(Protocol):
    """Who wants something: a person, an admin, or both."""

    @property
    def username(self) -> str | None: ...
    @property
    def is_admin(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Line:
    """``price`` is that of one piece; the name is the catalog's, unknown until stock is held."""

    product_id: UUID
    quantity: int
    price: Decimal
    name: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalog says of a product whose stock it holds for us."""

    name: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """``version`` counts the changes of status, ``next_at`` is when the clock does the next one."""

    id: UUID
    user_id: str
    lines: tuple[Line, ...]
    total: Decimal
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime
    next_at: datetime
    delivery: timedelta

    @property
    def stage(self) -> Stage:
        return LIFECYCLE[self.status]

    def role_of(self, actor: Actor) -> Role:
        """Raises NotYourOrder."""
        if actor.is_admin:
            return Role.ADMIN
        if actor.username == self.user_id:
            return Role.OWNER
        raise NotYourOrder

    def advanced(self, timetable: Timetable) -> "Order":
        """The order after the step that the clock owes it.

        The step counts as done when it was due: after a stop the whole history is caught up
        with its own moments, in order, and the deadlines promised to the buyer stay as they were.
        """
        if self.stage.next is None:
            raise IllegalTransition(self.status, "anything else")
        return self._entered(self.stage.next, at=self.next_at, timetable=timetable)

    def set_to(self, status: Status, *, at: datetime, timetable: Timetable) -> "Order":
        """By an admin's hand: the next status, or CANCELLED; its clock starts anew."""
        if status is Status.CANCELLED:
            return self.cancelled(Role.ADMIN, at=at, timetable=timetable)
        if status is not self.stage.next:
            raise IllegalTransition(self.status, status)
        return self._entered(status, at=at, timetable=timetable)

    def cancelled(self, by: Role, *, at: datetime, timetable: Timetable) -> "Order":
        if self.stage.is_last:
            raise IllegalTransition(self.status, Status.CANCELLED)
        if by not in self.stage.cancelled_by:
            raise CancellationForbidden
        return self._entered(Status.CANCELLED, at=at, timetable=timetable)

    def _entered(self, status: Status, *, at: datetime, timetable: Timetable) -> "Order":
        # A wall clock may be set back; the history of an order never is.
        at = max(at, self.updated_at)
        return replace(
            self,
            status=status,
            version=self.version + 1,
            updated_at=at,
            next_at=at + timetable.stay(status, delivery=self.delivery),
        )


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order that is being made: in no list, without a status, and over after ``valid_until``."""

    id: UUID
    user_id: str
    lines: tuple[Line, ...]
    total: Decimal
    valid_until: datetime

    def check(self) -> None:
        """Raises TotalMismatch or ProductTwice."""
        if len({line.product_id for line in self.lines}) != len(self.lines):
            raise ProductTwice(errors={"items": [ProductTwice.detail]})
        if money.total((line.price, line.quantity) for line in self.lines) != self.total:
            raise TotalMismatch

    def is_over(self, now: datetime) -> bool:
        return now >= self.valid_until

    def ordered(
        self,
        offers: Mapping[UUID, Offer],
        *,
        at: datetime,
        delivery: timedelta,
        timetable: Timetable,
    ) -> Order:
        """The order, under the catalog's names. Raises PriceChanged."""
        self._check_prices(offers)
        return Order(
            id=self.id,
            user_id=self.user_id,
            lines=tuple(_named(line, offers[line.product_id].name) for line in self.lines),
            total=self.total,
            status=Status.CREATED,
            version=1,
            created_at=at,
            updated_at=at,
            next_at=at + timetable.stay(Status.CREATED, delivery=delivery),
            delivery=delivery,
        )

    def _check_prices(self, offers: Mapping[UUID, Offer]) -> None:
        present = {line.product_id: offers[line.product_id].price for line in self.lines}
        wrong = [line.product_id for line in self.lines if line.price != present[line.product_id]]
        if wrong:
            raise PriceChanged({product_id: present[product_id] for product_id in wrong})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order was not made, in a form that can be kept and said again."""

    code: str
    detail: str
    errors: Mapping[str, list[str]] | None = None
    facts: Mapping[str, object] | None = None

    @classmethod
    def of(cls, error: Conflict) -> "Refusal":
        return cls(error.word, error.message, error.errors, error.facts or None)

    def error(self) -> Conflict:
        return Conflict(self.detail, code=self.code, errors=self.errors, facts=self.facts)


@dataclass(frozen=True, slots=True)
class Final:
    """The last word on an id: the order as it was when it was deleted, or why there is none."""

    id: UUID
    user_id: str
    answer: Order | Refusal
    keep_until: datetime

    @classmethod
    def of(cls, ended: PendingOrder | Order, answer: Order | Refusal, *, at: datetime) -> "Final":
        return cls(ended.id, ended.user_id, answer, at + KEPT_AFTER_ITS_END)


@lru_cache(maxsize=16_384)
def _named(line: Line, name: str) -> Line:
    """Equal lines of many orders are one object: a line is a third of an order's memory."""
    return replace(line, name=name)


Known = Order | PendingOrder | Final


def is_same_purchase(lines: Iterable[Line], others: Sequence[Line]) -> bool:
    """Whether both ask for the same products, quantities and prices, in whatever order."""
    return _purchase(lines) == _purchase(others)


def _purchase(lines: Iterable[Line]) -> set[tuple[UUID, int, Decimal]]:
    return {(line.product_id, line.quantity, line.price) for line in lines}
