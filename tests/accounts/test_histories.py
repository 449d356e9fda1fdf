"""Whatever becomes of the messages on their way, the same is known at their end."""

import asyncio
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain import FINAL, OrderStatus, OrderUpdate, newest_first
from accounts.repositories import MemoryAccounts
from tests.accounts.conftest import NOW, applicant, update

STEPS = (
    OrderStatus.CREATED,
    OrderStatus.PROCESSING,
    OrderStatus.SHIPPING,
    OrderStatus.DELIVERED,
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[OrderUpdate]]:
    """A few orders, each on a path of the lifecycle."""
    lives = []
    for number in range(draw(st.integers(1, 4))):
        path = list(STEPS[: draw(st.integers(1, len(STEPS)))])
        if path[-1] not in FINAL and draw(st.booleans()):
            path.append(OrderStatus.CANCELLED)
        total = draw(st.integers(1, 10**12))
        lives.append(
            [
                update(version, status, order_id=UUID(int=number), total=str(Decimal(total) / 100))
                for version, status in enumerate(path, start=1)
            ]
        )
    return lives


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[list[OrderUpdate]], list[OrderUpdate]]:
    """Histories, and their messages repeated and shuffled."""
    lives = draw(histories())
    sent = [step for life in lives for step in life for _ in range(draw(st.integers(1, 3)))]
    return lives, draw(st.permutations(sent))


async def after(arrivals: list[OrderUpdate]) -> MemoryAccounts:
    repository = MemoryAccounts()
    await repository.claim("alice")
    await repository.confirm(applicant(), "a hash", now=NOW)
    for step in arrivals:
        await repository.record(step, now=NOW)
    return repository


@settings(max_examples=150, deadline=None)
@given(deliveries())
def test_the_total_is_that_of_the_orders_not_cancelled(
    delivered: tuple[list[list[OrderUpdate]], list[OrderUpdate]],
) -> None:
    lives, arrivals = delivered

    user = asyncio.run(_user(arrivals))

    lasting = [life for life in lives if life[-1].status is not OrderStatus.CANCELLED]
    assert user == sum(life[0].total for life in lasting)


@settings(max_examples=150, deadline=None)
@given(deliveries())
def test_each_order_ends_with_its_newest_step_and_never_goes_back(
    delivered: tuple[list[list[OrderUpdate]], list[OrderUpdate]],
) -> None:
    lives, arrivals = delivered

    shown = newest_first(asyncio.run(_updates(arrivals)))

    by_order = {
        order: [step.version for step in steps]
        for order, steps in groupby(
            sorted(shown, key=lambda step: step.order_id), lambda step: step.order_id
        )
    }
    for life in lives:
        versions = by_order[life[0].order_id]
        assert versions[0] == life[-1].version
        assert versions == sorted(set(versions), reverse=True)


async def _user(arrivals: list[OrderUpdate]) -> Decimal:
    user = await (await after(arrivals)).get("alice")
    assert user is not None
    return user.total_spent


async def _updates(arrivals: list[OrderUpdate]) -> list[OrderUpdate]:
    return list(await (await after(arrivals)).updates("alice"))
