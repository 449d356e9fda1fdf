"""What is told arrives in order, at least once, whoever is away and for how long."""

import asyncio
import logging
from typing import Any
from uuid import UUID

import httpx
import pytest

from orders.domain import Destination, Order, Status
from orders.outbox import backoff
from tests.orders.conftest import IN_PROCESS
from tests.orders.peers import Serve, answers, fails, refuses_connections, times_out_after_applying
from tests.orders.world import ALICE, BOSS, World

ALL = ["CREATED", "PROCESSING", "SHIPPING", "DELIVERED"]


async def until_told(world: World) -> None:
    async with asyncio.timeout(5):
        while any(map(world.repository.undelivered, Destination)):
            await asyncio.sleep(0.002)


async def until_asked(world: World, times: int) -> None:
    enough = len(world.accounts.requests) + times
    async with asyncio.timeout(5):
        while len(world.accounts.requests) < enough:
            await asyncio.sleep(0)


def versions(world: World, order_id: UUID) -> list[int]:
    return [news["version"] for news in world.accounts.news if news["order_id"] == str(order_id)]


async def test_with_accounts_away_the_news_waits_and_arrives_in_order(world: World) -> None:
    world.accounts.fault = refuses_connections
    orders = [await world.place(f"user{number}") for number in range(20)]
    await world.go_on(200)
    assert world.accounts.news == []
    assert world.repository.undelivered(Destination.ACCOUNTS) == 80
    world.accounts.fault = None
    await until_told(world)
    assert all(world.accounts.statuses_of(order.id) == ALL for order in orders)


async def test_accounts_being_away_does_not_keep_stock_from_coming_back(world: World) -> None:
    world.accounts.fault = refuses_connections
    order = await world.place()
    await world.service.cancel(order.id, ALICE)
    await world.relays[Destination.CATALOG].flush(seconds=5)
    assert world.stock == 1000


async def test_a_lost_answer_is_told_again_and_never_out_of_order(world: World) -> None:
    world.accounts.faults.extend([times_out_after_applying] * 3)
    order = await world.place()
    await world.bring_to(order, Status.DELIVERED)
    await until_told(world)
    told = versions(world, order.id)
    assert sorted(told) == told
    assert set(told) == {1, 2, 3, 4}


@pytest.mark.parametrize("fault", [fails, answers(429), answers(401)])
async def test_what_may_pass_is_tried_again(world: World, fault: object) -> None:
    world.accounts.faults.extend([fault] * 3)  # type: ignore[list-item]
    order = await world.place()
    await until_told(world)
    assert world.accounts.statuses_of(order.id) == ["CREATED"]


async def test_news_that_is_refused_does_not_hold_up_what_follows(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.accounts.faults.append(answers(400))
    order = await world.bring_to(await world.place(), Status.PROCESSING)
    await until_told(world)
    assert world.accounts.statuses_of(order.id) == ["PROCESSING"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_stock_that_the_catalog_refuses_is_called_out_loudly(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    order = await world.place()
    await until_told(world)
    world.catalog.faults.append(answers(404))
    await world.service.cancel(order.id, ALICE)
    await until_told(world)
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    assert str(order.id) in caplog.text


async def test_one_order_that_is_never_accepted_holds_up_nobody(world: World) -> None:
    poison = await world.place("poison")
    await until_told(world)

    async def except_for_one(request: httpx.Request, serve: Serve) -> httpx.Response:
        if str(poison.id).encode() in request.content:
            return httpx.Response(500)
        return await serve(request)

    world.accounts.fault = except_for_one
    await world.bring_to(poison, Status.SHIPPING)
    others = [await world.bring_to(await world.place(), Status.SHIPPING) for _ in range(30)]
    async with asyncio.timeout(5):
        while world.repository.undelivered(Destination.ACCOUNTS) > 2:
            await asyncio.sleep(0.002)
    assert all(len(world.accounts.statuses_of(order.id)) == 3 for order in others)
    world.accounts.fault = None
    await until_told(world)
    assert world.accounts.statuses_of(poison.id) == ALL[:3]


async def place_while_accounts_is_away(world: World, number: int) -> list[Order]:
    """So that all their news waits when it is back."""
    world.accounts.fault = refuses_connections
    orders = [await world.place(f"user{each}") for each in range(number)]
    world.accounts.requests.clear()
    world.accounts.fault = None
    return orders


@IN_PROCESS
async def test_what_has_gathered_goes_in_one_message(world: World) -> None:
    orders = await place_while_accounts_is_away(world, 60)
    await until_told(world)
    assert all(world.accounts.statuses_of(order.id) == ["CREATED"] for order in orders)
    assert len(world.accounts.requests) < len(orders)


@pytest.mark.parametrize("status", [400, 404, 413])
async def test_who_takes_no_list_is_told_one_by_one(world: World, status: int) -> None:
    async def takes_no_list(request: httpx.Request, serve: Serve) -> httpx.Response:
        if request.url.path.endswith("order-statuses"):
            return httpx.Response(status, json={"detail": "No.", "code": "no"})
        return await serve(request)

    orders = await place_while_accounts_is_away(world, 20)
    world.accounts.fault = takes_no_list
    await until_told(world)
    assert all(world.accounts.statuses_of(order.id) == ["CREATED"] for order in orders)


async def test_one_that_is_refused_for_good_does_not_take_others_with_it(world: World) -> None:
    orders = await place_while_accounts_is_away(world, 20)

    async def refuses_one(request: httpx.Request, serve: Serve) -> httpx.Response:
        if str(orders[7].id).encode() in request.content:
            return httpx.Response(400, json={"detail": "No.", "code": "no"})
        return await serve(request)

    world.accounts.fault = refuses_one
    await until_told(world)
    told = [order for order in orders if world.accounts.statuses_of(order.id)]
    assert told == [order for order in orders if order is not orders[7]]


async def test_stock_of_many_cancelled_orders_comes_back_at_once(world: World) -> None:
    orders = [await world.place(f"user{each}") for each in range(20)]
    await world.everything_is_told()
    world.catalog.requests.clear()
    await asyncio.gather(*(world.service.cancel(order.id, BOSS) for order in orders))
    await until_told(world)
    assert world.stock == 1000
    assert len(world.catalog.requests) < 20


async def test_a_peer_that_is_away_is_knocked_at_by_one_worker_alone(world: World) -> None:
    inside, most = 0, 0

    async def counts(request: httpx.Request, serve: Serve) -> httpx.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1
        raise httpx.ConnectError("refused", request=request)

    world.accounts.fault = refuses_connections
    for number in range(100):
        await world.place(f"user{number}")
    await until_asked(world, 20)
    world.accounts.fault = counts
    await until_asked(world, 10)
    assert most == 1


async def test_a_restart_takes_up_what_was_not_delivered(world: World) -> None:
    world.accounts.fault = refuses_connections
    order = await world.bring_to(await world.place(), Status.PROCESSING)
    await world.restart()
    world.accounts.fault = None
    await until_told(world)
    assert world.accounts.statuses_of(order.id) == ["CREATED", "PROCESSING"]


async def test_a_message_written_while_its_queue_is_found_empty_is_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_messages = world.repository.next_messages

    async def just_before_the_next(destination: Destination, order_ids: Any) -> object:
        order_ids = list(order_ids)
        messages = await next_messages(destination, order_ids)
        if not messages and destination is Destination.ACCOUNTS:
            monkeypatch.setattr(world.repository, "next_messages", next_messages)
            await world.service.set_status(order_ids[0], Status.PROCESSING)
        return messages

    monkeypatch.setattr(world.repository, "next_messages", just_before_the_next)
    order = await world.place()
    async with asyncio.timeout(2):
        while world.accounts.statuses_of(order.id) != ["CREATED", "PROCESSING"]:
            await asyncio.sleep(0)


async def test_a_failing_store_forgets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_messages = world.repository.next_messages

    async def broken(*args: object) -> None:
        monkeypatch.setattr(world.repository, "next_messages", next_messages)
        raise OSError("disk")

    monkeypatch.setattr(world.repository, "next_messages", broken)
    order = await world.place()
    await until_told(world)
    assert world.accounts.statuses_of(order.id) == ["CREATED"]


async def test_a_flush_gives_up_on_who_is_away(world: World) -> None:
    world.accounts.fault = refuses_connections
    await world.place()
    await asyncio.wait_for(world.relays[Destination.ACCOUNTS].flush(seconds=60), timeout=3)
    assert world.repository.undelivered(Destination.ACCOUNTS) == 1


@pytest.mark.parametrize(("failures", "shortest", "longest"), [(1, 0.025, 0.05), (50, 2.5, 5)])
def test_the_pause_grows_to_a_bound_with_chance_in_it(
    failures: int, shortest: float, longest: float
) -> None:
    assert backoff(failures, longest=5, draw=lambda: 0.0) == shortest
    assert backoff(failures, longest=5, draw=lambda: 1.0) == longest
