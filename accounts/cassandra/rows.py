"""Rows of Cassandra as what they mean, and back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from accounts.domain import Applicant, OrderStatus, OrderUpdate, User, user_id
from store.clock import microseconds, moment

Row = tuple[Any, ...]
T = TypeVar("T")
# Partitions that one statement asks for.
TOGETHER = 100


def in_groups(keys: Sequence[T]) -> Iterator[list[T]]:
    """As many as one statement may ask for."""
    for start in range(0, len(keys), TOGETHER):
        yield list(keys[start : start + TOGETHER])


def user_of(row: Row, *, spent: Decimal) -> User:
    """``row`` in the order of the statements."""
    _, number, username, full_name, phone, is_admin, password_hash, created_at = row
    return User(
        username=username,
        full_name=full_name,
        phone=phone,
        id=user_id(number),
        created_at=moment(created_at),
        is_admin=is_admin,
        password_hash=password_hash,
        total_spent=spent,
    )


def values_of(
    applicant: Applicant, number: int, password_hash: str, *, now: datetime
) -> tuple[object, ...]:
    """All but the key."""
    said = (applicant.username, applicant.full_name, applicant.phone, applicant.is_admin)
    return (number, *said, password_hash, microseconds(now))


def step_of(row: Row) -> OrderUpdate:
    username, _, order_id, status, updated_at, total, version = row
    return OrderUpdate(
        order_id=order_id,
        user_id=username,
        status=OrderStatus(status),
        updated_at=moment(updated_at),
        total=total,
        version=version,
    )


def step_values(update: OrderUpdate) -> tuple[object, ...]:
    """All but its number and its key."""
    moved_at = microseconds(update.updated_at)
    return (update.order_id, update.status.value, moved_at, update.total, update.version)
