"""The life of an order as a table: what follows what, who may end it, when, and what stock does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Status(StrEnum):
    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    SHIPPING = "SHIPPING"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class Role(StrEnum):
    """In which capacity somebody touches an order."""

    OWNER = "owner"
    ADMIN = "admin"


class StockMove(StrEnum):
    """What the catalog is told about the reservation of an order."""

    SOLD = "sold"
    RETURN = "return"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Stage:
    """``next``: what the clock turns it into; ``on_entry``: what becomes of the stock then."""

    next: Status | None = None
    cancelled_by: frozenset[Role] = frozenset()
    on_entry: StockMove | None = None

    @property
    def is_last(self) -> bool:
        return self.next is None


_ANYONE = frozenset(Role)

LIFECYCLE: Mapping[Status, Stage] = {
    Status.CREATED: Stage(Status.PROCESSING, _ANYONE, on_entry=StockMove.SOLD),
    Status.PROCESSING: Stage(Status.SHIPPING, _ANYONE),
    Status.SHIPPING: Stage(Status.DELIVERED, frozenset({Role.ADMIN})),
    Status.DELIVERED: Stage(),
    Status.CANCELLED: Stage(on_entry=StockMove.RETURN),
}
OPEN = tuple(status for status, stage in LIFECYCLE.items() if not stage.is_last)


def check(lifecycle: Mapping[Status, Stage]) -> None:
    """Raises ValueError for a table in which an order could be lost or never end."""
    if set(lifecycle) != set(Status):
        raise ValueError("every status has one row")
    path = _path(lifecycle)
    if path[-1] is not Status.DELIVERED or set(path) != set(Status) - {Status.CANCELLED}:
        raise ValueError("the clock leads from CREATED through every status to DELIVERED")
    if not lifecycle[Status.CANCELLED].is_last:
        raise ValueError("a cancelled order stays cancelled")
    for status, stage in lifecycle.items():
        if stage.is_last == bool(stage.cancelled_by):
            raise ValueError(f"{status} can be cancelled by somebody exactly when it is open")


def _path(lifecycle: Mapping[Status, Stage]) -> list[Status]:
    path = [Status.CREATED]
    while (following := lifecycle[path[-1]].next) is not None:
        if following in path:
            raise ValueError(f"{following} would come twice")
        path.append(following)
    return path


check(LIFECYCLE)


@dataclass(frozen=True, slots=True)
class Timetable:
    """How long an order stays in each status."""

    processing_delay: timedelta
    shipping_delay: timedelta
    retention: timedelta
    cancelled_retention: timedelta

    def stay(self, status: Status, *, delivery: timedelta) -> timedelta:
        """The time in ``status``; how long a delivery takes is drawn for each order."""
        match status:
            case Status.CREATED:
                return self.processing_delay
            case Status.PROCESSING:
                return self.shipping_delay
            case Status.SHIPPING:
                return delivery
            case Status.DELIVERED:
                return self.retention
            case Status.CANCELLED:
                return self.cancelled_retention
