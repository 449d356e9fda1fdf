"""Looking at orders, cancelling them and setting them by hand."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from orders.domain import Status
from orders.domain.errors import (
    CancellationForbidden,
    IllegalTransition,
    NotYourOrder,
    OrderNotFound,
)
from orders.repositories import OrderRepository, Overtaken
from tests.orders.world import ALICE, BOB, BOSS, World


async def test_owner_and_admin_see_an_order_and_nobody_else(world: World) -> None:
    order = await world.place()
    assert await world.service.order_for(ALICE, order.id) == order
    assert await world.service.order_for(BOSS, order.id) == order
    with pytest.raises(NotYourOrder):
        await world.service.order_for(BOB, order.id)
    with pytest.raises(OrderNotFound):
        await world.service.order_for(BOB, uuid4())


async def test_a_user_lists_his_own_and_an_admin_everybodys(world: World) -> None:
    mine, his = await world.place(), await world.place("bob")
    assert (await world.service.page(ALICE, limit=10))[0] == [mine]
    assert set((await world.service.page(BOSS, limit=10))[0]) == {mine, his}
    assert (await world.service.page(BOSS, limit=10, user_id="bob"))[0] == [his]


async def test_the_orders_of_others_are_refused_rather_than_left_out(world: World) -> None:
    await world.place("bob")
    with pytest.raises(NotYourOrder):
        await world.service.page(ALICE, limit=10, user_id="bob")


async def test_a_page_says_whether_more_follow(world: World) -> None:
    for _ in range(2):
        await world.place()
    assert (await world.service.page(ALICE, limit=1))[1]
    assert not (await world.service.page(ALICE, limit=2))[1]


async def test_a_cancelled_order_gives_its_stock_back_once(world: World) -> None:
    order = await world.place(quantity=5)
    assert world.stock == 995
    cancelled = await world.service.cancel(order.id, ALICE)
    await world.everything_is_told()
    assert (cancelled.status, cancelled.version) == (Status.CANCELLED, 2)
    assert world.stock == 1000
    assert world.accounts.statuses_of(order.id) == ["CREATED", "CANCELLED"]


async def test_an_order_is_cancelled_once(world: World) -> None:
    order = await world.place()
    outcomes = await asyncio.gather(
        *(world.service.cancel(order.id, ALICE) for _ in range(20)), return_exceptions=True
    )
    await world.everything_is_told()
    refused = [outcome for outcome in outcomes if isinstance(outcome, IllegalTransition)]
    assert len(refused) == 19
    assert world.catalog.reservations[order.id].moves == ["sold", "returned"]


async def test_an_owner_is_too_late_when_the_order_is_on_its_way(world: World) -> None:
    order = await world.bring_to(await world.place(), Status.SHIPPING)
    with pytest.raises(CancellationForbidden):
        await world.service.cancel(order.id, ALICE)
    assert (await world.service.cancel(order.id, BOSS)).status is Status.CANCELLED


async def test_a_stranger_cancels_nothing(world: World) -> None:
    order = await world.place()
    with pytest.raises(NotYourOrder):
        await world.service.cancel(order.id, BOB)


async def test_a_step_by_hand_restarts_the_clock(world: World) -> None:
    order = await world.place()
    world.time.go_on(4)
    await world.service.set_status(order.id, Status.PROCESSING)
    await world.go_on(4)
    assert (await world.service.order(order.id)).status is Status.PROCESSING
    await world.go_on(1)
    assert (await world.service.order(order.id)).status is Status.SHIPPING


async def test_cancelling_by_hand_gives_the_stock_back_too(world: World) -> None:
    order = await world.place()
    await world.service.set_status(order.id, Status.CANCELLED)
    await world.everything_is_told()
    assert world.stock == 1000


@pytest.mark.parametrize("status", [Status.CREATED, Status.SHIPPING, Status.DELIVERED])
async def test_no_hand_skips_or_repeats_a_step(world: World, status: Status) -> None:
    order = await world.place()
    with pytest.raises(IllegalTransition):
        await world.service.set_status(order.id, status)


async def test_who_is_overtaken_decides_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await world.bring_to(await world.place(), Status.PROCESSING)
    commit = world.repository.commit

    async def overtaken_by_the_clock(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(world.repository, "commit", commit)
        await world.go_on(5)
        raise Overtaken

    monkeypatch.setattr(world.repository, "commit", overtaken_by_the_clock)
    with pytest.raises(CancellationForbidden):
        await world.service.cancel(order.id, ALICE)


@pytest.mark.parametrize("boundary", [5, 10, 110])
async def test_cancel_and_clock_at_the_same_moment_have_one_winner(
    repository: OrderRepository, boundary: int
) -> None:
    world = World(repository)
    await world.open()
    orders = [await world.place() for _ in range(50)]
    await world.service.advance_due(world.time.go_on(boundary - 0.001))
    world.time.go_on(0.001)
    cancels = [world.service.cancel(order.id, BOSS) for order in orders]
    await asyncio.gather(
        *cancels[:25],
        world.service.advance_due(world.time()),
        *cancels[25:],
        return_exceptions=True,
    )
    await world.everything_is_told()
    cancelled = await repository.page(limit=100, status=Status.CANCELLED)
    assert world.stock == 950 + len(cancelled)
    moves = [world.catalog.reservations[order.id].moves for order in cancelled]
    assert all(move.count("returned") == 1 for move in moves)
    await world.close()


async def test_a_cancellation_that_has_begun_is_told_though_its_caller_hangs_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await world.place()
    commit, gate = world.repository.commit, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> None:
        await gate.wait()
        await commit(*args, **kwargs)

    monkeypatch.setattr(world.repository, "commit", slow)
    request = asyncio.create_task(world.service.cancel(order.id, ALICE))
    while not len(world.making):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait({request})
    gate.set()
    await world.making.close(seconds=5)
    await world.everything_is_told()
    assert world.stock == 1000
