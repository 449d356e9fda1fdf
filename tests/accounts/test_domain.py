"""Roles, ids, and what the steps of an order do to a total."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.domain import (
    AdminsOnly,
    OrderRecord,
    OrderStatus,
    User,
    UsernameReserved,
    after_event,
    becomes_admin,
    follow,
    newest_first,
    user_id,
)
from tests.accounts.conftest import NOW, update

CANCELLED = OrderStatus.CANCELLED
SHIPPING = OrderStatus.SHIPPING


def test_ids_have_eight_digits() -> None:
    assert user_id(1) == "00000001"
    assert user_id(12_345_678) == "12345678"


def test_a_user_never_shows_the_hash_of_the_password() -> None:
    user = User(
        username="alice",
        full_name="Alice",
        phone="12345",
        id="00000001",
        created_at=NOW,
        is_admin=False,
        password_hash="bcrypt_sha256$secret",
    )

    assert "secret" not in repr(user)
    assert "secret" not in str(user)


@pytest.mark.parametrize("username", ["admin_x", "ADMIN_x", "Admin_", "aDmIn_root"])
def test_the_admins_prefix_is_reserved_in_any_case(username: str) -> None:
    with pytest.raises(UsernameReserved) as refusal:
        becomes_admin(username, is_admin=False, by_admin=True, demo=False)

    assert "username" in (refusal.value.errors or {})


def test_the_admins_prefix_makes_an_admin_in_demo_mode() -> None:
    assert becomes_admin("Admin_x", is_admin=False, by_admin=False, demo=True)


def test_only_an_admin_makes_an_admin() -> None:
    with pytest.raises(AdminsOnly):
        becomes_admin("alice", is_admin=True, by_admin=False, demo=True)
    assert becomes_admin("alice", is_admin=True, by_admin=True, demo=False)


def test_everybody_else_is_a_user() -> None:
    assert not becomes_admin("administrator", is_admin=False, by_admin=False, demo=True)


def test_an_order_counts_when_it_first_appears() -> None:
    assert follow(None, update(total="9.90")) == OrderRecord(1, Decimal("9.90"))


def test_an_order_that_first_appears_cancelled_counts_nothing() -> None:
    assert follow(None, update(3, CANCELLED)) == OrderRecord(3, Decimal(0))


def test_a_cancelled_order_counts_no_more() -> None:
    assert follow(OrderRecord(2, Decimal(100)), update(3, CANCELLED)) == OrderRecord(3, Decimal(0))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_step_is_taken_once_and_never_after_a_newer_one(version: int) -> None:
    assert follow(OrderRecord(3, Decimal(100)), update(version, CANCELLED)) is None


def test_news_are_shown_newest_first() -> None:
    late, early = update(5), update(1)

    assert newest_first([late, early]) == [late, early]
    assert newest_first([early, late]) == [late, early]


def test_no_step_is_shown_before_a_later_one_of_its_order_when_a_clock_goes_back() -> None:
    order = uuid4()
    created = update(1, order_id=order)
    shipping = replace(update(2, SHIPPING, order_id=order), updated_at=NOW - timedelta(minutes=5))

    assert newest_first([created, shipping]) == [shipping, created]


def test_a_reader_goes_on_after_the_event_it_saw_last() -> None:
    first, second, third = updates = [update(), update(), update()]

    assert after_event(updates, first.event_id) == [second, third]
    assert after_event(updates, third.event_id) == []
    assert after_event(updates, "long forgotten") == updates
