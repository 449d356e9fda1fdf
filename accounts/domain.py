"""People, what names and passwords may be, and what an order's news do to a person's total."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from store import errors
from store.money import ZERO

# ASCII only: the username crosses from service to service in the X-User-ID header.
USERNAME_PATTERN = r"^[A-Za-z0-9_.-]+\Z"
USERNAME_SENTENCE = "Latin letters, digits, '_', '.' and '-' only: it travels in a header."
USERNAME_LENGTH = (3, 50)
PHONE_PATTERN = r"^[0-9 +()-]+\Z"
PHONE_SENTENCE = "Digits, spaces, '+', '(', ')' and '-' only."
PHONE_LENGTH = (5, 20)
PASSWORD_LENGTH = (8, 128)
FULL_NAME_LENGTH = (1, 100)
ADMIN_PREFIX = "admin_"


class UsernameTaken(errors.Invalid):
    code = "username_taken"
    detail = "This username is taken."


class UsernameReserved(errors.Invalid):
    code = "username_reserved"
    detail = f"Usernames that begin with '{ADMIN_PREFIX}' are reserved."


class AdminsOnly(errors.Forbidden):
    code = "admins_only"
    detail = "Only an admin may make an admin."


class WrongCredentials(errors.NotAuthenticated):
    code = "wrong_credentials"
    detail = "The username or the password is wrong."


class UnknownPerson(errors.NotAuthenticated):
    code = "unknown_user"
    detail = "The user of this token is not registered here."


class TooManyGuesses(errors.TooMany):
    code = "too_many_guesses"
    detail = "Too many wrong passwords; come back later."


class TooManyAtOnce(TooManyGuesses):
    code = "too_many_logins"
    detail = "Too many logins at once; come back in a moment."


class TooManyStreams(errors.TooMany):
    code = "too_many_streams"
    detail = "Too many event streams are open."


class Busy(errors.Unavailable):
    code = "busy"
    detail = "Too many passwords are being checked; come back in a moment."


class PeerMakesNoSense(errors.Unavailable):
    code = "service_unavailable"

    def __init__(self, peer: str) -> None:
        super().__init__(f"The {peer} service gave an answer that makes no sense.")


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who wants to become a user."""

    username: str
    full_name: str
    phone: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class User:
    username: str
    full_name: str
    phone: str
    id: str
    created_at: datetime
    is_admin: bool
    password_hash: str = field(repr=False)
    total_spent: Decimal = ZERO


def user_id(number: int) -> str:
    """``1`` -> ``"00000001"``."""
    return f"{number:08d}"


def becomes_admin(username: str, *, is_admin: bool, by_admin: bool, demo: bool) -> bool:
    """The role of a new user, by the shop's rules. Raises what forbids it."""
    reserved = username.lower().startswith(ADMIN_PREFIX)
    if reserved and not demo:
        raise UsernameReserved(errors={"username": [UsernameReserved.detail]})
    if is_admin and not by_admin:
        raise AdminsOnly
    return is_admin or reserved


class OrderStatus(StrEnum):
    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    SHIPPING = "SHIPPING"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


FINAL = {OrderStatus.DELIVERED, OrderStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One step of an order, as the orders service tells it; ``version`` grows with each step."""

    order_id: UUID
    user_id: str
    status: OrderStatus
    updated_at: datetime
    total: Decimal
    version: int

    @property
    def event_id(self) -> str:
        """Names this step for ever: also after a restart, which forgets every sequence number."""
        return f"{self.order_id}:{self.version}"


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """What is remembered of an order: its newest version and what of it is in the total."""

    version: int
    counted: Decimal


def follow(record: OrderRecord | None, update: OrderUpdate) -> OrderRecord | None:
    """The record after ``update``, or None where a step as new as this one was seen before.

    An order counts with its total unless its newest step is CANCELLED. This depends on nothing
    but the newest step, so the order of arrival and repetitions change nothing.
    """
    if record is not None and update.version <= record.version:
        return None
    counted = ZERO if update.status is OrderStatus.CANCELLED else update.total
    return OrderRecord(update.version, counted)


def newest_first(arrived: Iterable[OrderUpdate]) -> list[OrderUpdate]:
    """By time, except that no step stands before a later one of its order if a clock went back."""
    latest: dict[UUID, datetime] = {}
    placed = []
    for place, update in enumerate(arrived):
        moment = max(update.updated_at, latest.get(update.order_id, update.updated_at))
        latest[update.order_id] = moment
        placed.append((moment, place, update))
    placed.sort(key=lambda entry: entry[:2], reverse=True)
    return [update for _, _, update in placed]


def after_event(arrived: Iterable[OrderUpdate], event_id: str) -> list[OrderUpdate]:
    """What arrived after the event named; everything where it is not known any more."""
    updates = list(arrived)
    for place, update in enumerate(updates):
        if update.event_id == event_id:
            return updates[place + 1 :]
    return updates
