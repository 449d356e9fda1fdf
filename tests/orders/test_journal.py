"""Orders that outlive their process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from orders.domain import Destination, Final, Refusal, Status, messages_of
from orders.domain.errors import PriceChanged
from orders.domain.messages import news
from orders.journal import JournaledOrders
from tests.orders.peers import START, refuses_connections
from tests.orders.test_repositories import KETTLE, MANY, order_of, pending, step, stored
from tests.orders.world import World
from tests.reopening import Reopening


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[Reopening]:
    async with Reopening(tmp_path, "orders", JournaledOrders, ()) as store:
        yield store


@pytest.fixture
async def world(repository: Reopening) -> AsyncIterator[World]:
    world = World(repository)
    await world.open()
    yield world
    await world.close()


async def test_a_refusal_is_said_again_to_the_last_figure(repository: Reopening):
    begun, prices = pending(), PriceChanged({KETTLE: Decimal("12.50")})
    await repository.refuse(Final.of(begun, Refusal.of(prices), at=START), [])

    await repository.reopen()

    final = await repository.find(begun.id)
    assert final.answer.error().body() == prices.body()


async def test_a_message_is_the_same_after_a_restart(repository: Reopening):
    order = await stored(repository)

    await repository.reopen()

    message = await repository.next_message(Destination.ACCOUNTS, order.id)
    assert message == messages_of(order)[0]
    assert message.payload == news(order)


async def test_a_snapshot_is_the_whole_store(repository: Reopening):
    begun, gone = pending(), Final.of(pending(), Refusal("order_expired", "Late."), at=START)
    await repository.begin(begun, most_open=MANY)
    await repository.refuse(gone, [])
    order = await step(repository, await stored(repository))
    ended = await stored(repository)

    await repository.journal.compact()
    await repository.reopen()

    everything = [begun, gone, order, ended]
    assert [await repository.find(each.id) for each in everything] == everything
    assert repository.undelivered(Destination.ACCOUNTS) == 3
    assert await repository.next_due() == ended.next_at


async def test_nothing_is_told_before_it_is_safe(repository: Reopening):
    """A worker that is at an order already finds its next message at once."""
    order = await stored(repository)
    after = order.set_to(Status.PROCESSING, at=START, timetable=World(repository).terms.timetable)
    writing = asyncio.create_task(
        repository.commit(after, expected_version=1, messages=messages_of(after))
    )
    await asyncio.sleep(0)
    assert not writing.done()

    await repository.next_message(Destination.ACCOUNTS, order.id)

    assert not repository.journal._segment.is_dirty
    assert (await repository.find(order.id)).version == 2
    await asyncio.wait_for(writing, 1)


async def test_what_was_due_meanwhile_is_caught_up_in_order_and_told(world: World):
    order = await world.place()
    world.accounts.faults.extend([refuses_connections] * 3)

    await world.restart()
    await world.go_on(11)
    await world.restart()
    await world.go_on(0)
    await world.everything_is_told()

    told = dict.fromkeys(world.accounts.statuses_of(order.id))  # some of it twice, perhaps
    assert list(told) == ["CREATED", "PROCESSING", "SHIPPING"]
    found = await world.service.order(order.id)
    assert found.next_at == order.created_at + timedelta(seconds=10) + found.delivery


async def test_an_order_in_the_making_is_made_after_a_restart(world: World):
    begun = replace(pending(), valid_until=world.time() + timedelta(seconds=60))
    world.catalog.products[KETTLE] = world.catalog.products[world.kettle]
    begun = replace(begun, lines=(replace(begun.lines[0], price=Decimal("99.99")),))
    begun = replace(begun, total=Decimal("99.99"))
    await world.repository.begin(begun, most_open=MANY)

    await world.restart()
    await world.making.close(seconds=5)

    assert (await world.service.order(begun.id)).status is Status.CREATED


async def test_an_order_is_made_once_though_its_id_comes_again_after_a_restart(
    repository: Reopening,
):
    begun = pending()
    await repository.begin(begun, most_open=MANY)
    order = order_of(begun)
    await repository.commit(order, expected_version=0, messages=[])

    await repository.reopen()

    assert await repository.find(begun.id) == order
