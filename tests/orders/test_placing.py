"""Placing an order, whatever the catalog does and whoever hangs up."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from orders import placing
from orders.domain import Line, Order, PendingOrder, Status
from orders.domain.errors import IdTaken, KeyOfAnotherOrder, TooManyOpenOrders, TotalMismatch
from orders.placing import RESERVING_AT_A_TIME, CatalogAway, StillMaking, TooBusy
from orders.repositories import OrderRepository
from orders.services import Purchase
from store.errors import Conflict
from tests.orders.conftest import IN_PROCESS
from tests.orders.peers import (
    START,
    Fault,
    Serve,
    answers,
    fails,
    makes_no_sense,
    refuses_connections,
    speaks_html,
    speaks_of_another_product,
    times_out_after_applying,
    times_out_before,
)
from tests.orders.world import ALICE, PRICE, World

DOUBTFUL = [
    times_out_after_applying,
    times_out_before,
    fails,
    speaks_html,
    makes_no_sense,
    speaks_of_another_product,
]


async def orders_of(world: World) -> list[Order]:
    return list(await world.repository.page(limit=1000))


async def refusal(world: World, purchase: Purchase) -> Conflict:
    with pytest.raises(Conflict) as refused:
        await world.service.place(purchase)
    return refused.value


async def test_an_order_is_made_of_what_the_catalog_holds(world: World) -> None:
    order = await world.place(quantity=3)
    assert (order.status, order.version, order.total) == (Status.CREATED, 1, Decimal("299.97"))
    assert order.lines == (Line(world.kettle, 3, PRICE, "Чайник"),)
    assert order.next_at == START + timedelta(seconds=5)
    assert world.stock == 997


async def test_both_services_hear_of_it(world: World) -> None:
    order = await world.place()
    await world.everything_is_told()
    assert world.catalog.state(order.id) == "sold"
    assert world.accounts.statuses_of(order.id) == ["CREATED"]


async def test_an_id_that_exists_is_answered_with_its_order(world: World) -> None:
    purchase = world.purchase(order_id=uuid4())
    first = await world.service.place(purchase)
    second = await world.service.place(purchase)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.order == second.order
    assert world.stock == 999


async def test_fifty_requests_for_one_id_make_one_order(world: World) -> None:
    purchase = world.purchase(order_id=uuid4())
    placed = await asyncio.gather(*(world.service.place(purchase) for _ in range(50)))
    assert {answer.order.id for answer in placed} == {purchase.order_id}
    assert len(await orders_of(world)) == 1
    assert world.stock == 999


async def test_fifty_requests_for_the_last_piece_make_one_order(world: World) -> None:
    world.catalog.products[world.kettle].stock = 1
    purchases = [world.purchase(user_id=f"user{number}") for number in range(50)]
    answers = await asyncio.gather(*map(world.service.place, purchases), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert world.stock == 0


@pytest.mark.parametrize("fault", DOUBTFUL)
async def test_a_doubtful_answer_is_asked_for_again(world: World, fault: Fault) -> None:
    world.catalog.faults.extend([fault] * 3)
    order = await world.place()
    await world.everything_is_told()
    assert world.stock == 999
    assert world.catalog.state(order.id) == "sold"


async def test_nothing_begins_when_the_catalog_cannot_be_reached(world: World) -> None:
    world.catalog.faults.append(refuses_connections)
    purchase = world.purchase(order_id=uuid4())
    with pytest.raises(CatalogAway):
        await world.service.place(purchase)
    assert await world.repository.pending() == []
    assert (await world.service.place(purchase)).is_new


async def test_after_a_doubt_a_refused_connection_is_one_more_doubt(world: World) -> None:
    world.catalog.faults.extend([times_out_after_applying, refuses_connections])
    await world.place()
    assert len(await orders_of(world)) == 1
    assert world.stock == 999


async def test_with_the_catalog_away_the_order_ends_with_its_time(world: World) -> None:
    world.catalog.faults.append(times_out_after_applying)
    world.catalog.faults.extend([times_out_before] * 300)
    purchase = world.purchase(order_id=uuid4(), seconds=60)
    assert (await refusal(world, purchase)).word == "order_expired"
    assert world.time() < START + timedelta(seconds=65)
    world.catalog.faults.clear()
    await world.everything_is_told()
    assert world.stock == 1000
    assert (await refusal(world, purchase)).word == "order_expired"


async def test_an_answer_after_the_time_makes_no_order(world: World) -> None:
    async def slow(request: httpx.Request, serve: Serve) -> httpx.Response:
        world.time.go_on(61)
        return await serve(request)

    world.catalog.faults.append(slow)
    assert (await refusal(world, world.purchase(seconds=60))).word == "order_expired"
    await world.everything_is_told()
    assert world.stock == 1000


async def test_an_id_past_its_time_never_begins(world: World) -> None:
    purchase = world.purchase(order_id=uuid4(), seconds=0)
    assert (await refusal(world, purchase)).word == "order_expired"
    assert world.catalog.requests == []
    later = replace(purchase, valid_until=START + timedelta(hours=1))
    assert (await refusal(world, later)).word == "order_expired"


async def test_sold_out_says_what_is_left_and_is_final(world: World) -> None:
    purchase = world.purchase(quantity=1000, order_id=uuid4())
    world.catalog.products[world.kettle].stock = 7
    body = (await refusal(world, purchase)).body()
    assert body["code"] == "insufficient_stock"
    assert body["available"] == {str(world.kettle): 7}
    world.catalog.products[world.kettle].stock = 1000
    assert (await refusal(world, purchase)).body() == body


async def test_a_product_that_is_gone(world: World) -> None:
    del world.catalog.products[world.kettle]
    assert (await refusal(world, world.purchase())).word == "product_unavailable"


async def test_another_price_is_refused_and_its_hold_is_back_before_the_answer(
    world: World,
) -> None:
    body = (await refusal(world, world.purchase(price=Decimal("1.00")))).body()
    assert body["code"] == "price_changed"
    assert body["prices"] == {str(world.kettle): PRICE}
    assert world.stock == 1000


async def test_a_hold_that_could_not_be_given_back_at_once_is_given_back_later(
    world: World,
) -> None:
    async def then_away(request: httpx.Request, serve: Serve) -> httpx.Response:
        world.catalog.faults.append(times_out_before)
        return await serve(request)

    world.catalog.faults.append(then_away)
    await refusal(world, world.purchase(price=Decimal("1.00")))
    await world.everything_is_told()
    assert world.stock == 1000


async def test_a_closed_reservation_makes_no_order(world: World) -> None:
    world.catalog.faults.append(answers(409, "reservation_closed"))
    assert (await refusal(world, world.purchase())).word == "order_expired"


async def test_a_wrong_total_asks_nobody(world: World) -> None:
    purchase = replace(world.purchase(), total=Decimal("1.00"))
    with pytest.raises(TotalMismatch):
        await world.service.place(purchase)
    assert world.catalog.requests == []


async def test_the_id_of_another_user_says_nothing_of_his_order(world: World) -> None:
    order = await world.place("bob")
    with pytest.raises(Conflict) as taken:
        await world.service.place(world.purchase(order_id=order.id))
    assert taken.value.body() == IdTaken().body()


async def test_the_id_that_another_user_is_using_is_not_joined(world: World) -> None:
    purchase = world.purchase(order_id=uuid4())
    bobs = replace(purchase, user_id="bob")
    mine, his = await asyncio.gather(
        world.service.place(purchase), world.service.place(bobs), return_exceptions=True
    )
    assert not isinstance(mine, BaseException)
    assert isinstance(his, IdTaken)


async def test_the_cap_on_open_orders(repository: OrderRepository) -> None:
    world = World(repository, most_open=2)
    first, _ = await world.place(), await world.place()
    with pytest.raises(Conflict) as refused:
        await world.place()
    assert refused.value.word == TooManyOpenOrders.code
    await world.service.cancel(first.id, ALICE)
    await world.place()
    await world.close()


async def test_a_caller_who_hangs_up_still_gets_his_order(world: World) -> None:
    gate = asyncio.Event()
    world.catalog.faults.append(waits_for(gate))
    request = asyncio.create_task(world.service.place(world.purchase()))
    await until(lambda: world.catalog.requests)
    request.cancel()
    await asyncio.wait({request})
    gate.set()
    await world.making.close(seconds=5)
    assert len(await orders_of(world)) == 1


async def test_a_request_waits_a_while_and_the_order_goes_on(
    repository: OrderRepository,
) -> None:
    world = World(repository, patience=0.02)
    gate = asyncio.Event()
    world.catalog.faults.append(waits_for(gate))
    purchase = world.purchase(order_id=uuid4())
    with pytest.raises(StillMaking):
        await world.service.place(purchase)
    gate.set()
    await world.making.close(seconds=5)
    assert not (await world.service.place(purchase)).is_new
    await world.close()


@IN_PROCESS
async def test_the_catalog_is_asked_by_so_many_at_a_time_and_the_rest_wait(world: World) -> None:
    inside, most = 0, 0

    async def counts(request: httpx.Request, serve: Serve) -> httpx.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1
        return await serve(request)

    world.catalog.fault = counts
    purchases = [world.purchase(user_id=f"user{number}") for number in range(200)]
    await asyncio.gather(*map(world.service.place, purchases))
    assert RESERVING_AT_A_TIME / 2 < most <= RESERVING_AT_A_TIME + 16


async def test_when_too_many_are_being_made_the_next_is_turned_away_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "MOST_AT_A_TIME", 1)
    gate = asyncio.Event()
    world.catalog.faults.append(waits_for(gate))
    first = asyncio.create_task(world.service.place(world.purchase()))
    await until(lambda: world.catalog.requests)
    with pytest.raises(TooBusy):
        await world.place("bob")
    gate.set()
    assert (await first).is_new
    assert await world.repository.pending() == []


async def test_what_was_being_made_goes_on_after_a_restart(world: World) -> None:
    begun = pending(world)
    world.catalog.hold(begun.id, world.kettle)
    await world.repository.begin(begun, most_open=1)
    await world.restart()
    await world.making.close(seconds=5)
    assert [order.id for order in await orders_of(world)] == [begun.id]
    await world.everything_is_told()
    assert (world.stock, world.catalog.state(begun.id)) == (999, "sold")


async def test_what_ran_out_of_time_before_the_restart_is_undone(world: World) -> None:
    begun = pending(world)
    world.catalog.hold(begun.id, world.kettle)
    await world.repository.begin(begun, most_open=1)
    world.time.go_on(61)
    await world.restart()
    await world.making.close(seconds=5)
    await world.everything_is_told()
    assert await orders_of(world) == []
    assert world.stock == 1000


async def test_a_key_finds_its_order_again_after_a_restart(world: World) -> None:
    first = await world.service.place(world.purchase(), key="k")
    await world.restart()
    second = await world.service.place(world.purchase(), key="k")
    assert first.order == second.order
    other = await world.service.place(world.purchase(user_id="bob"), key="k")
    assert other.is_new


async def test_a_key_with_other_items_is_refused(world: World) -> None:
    await world.service.place(world.purchase(), key="k")
    with pytest.raises(KeyOfAnotherOrder):
        await world.service.place(world.purchase(quantity=2), key="k")


async def test_a_key_is_new_again_after_its_day(world: World) -> None:
    first = await world.service.place(world.purchase(), key="k")
    await world.service.cancel(first.order.id, ALICE)
    world.time.go_on(24 * 3600 + 1)
    second = await world.service.place(world.purchase(), key="k")
    assert second.is_new
    assert second.order.id != first.order.id
    assert (await world.service.place(world.purchase(), key="k")).order == second.order


async def test_a_deleted_order_answers_as_it_was(world: World) -> None:
    purchase = world.purchase(order_id=uuid4())
    order = (await world.service.place(purchase)).order
    await world.bring_to(order, Status.DELIVERED)
    await world.everything_is_told()
    await world.go_on(301)
    assert await orders_of(world) == []
    answer = await world.service.place(purchase)
    assert (answer.is_new, answer.order.status) == (False, Status.DELIVERED)


def pending(world: World) -> PendingOrder:
    purchase = world.purchase()
    until = START + timedelta(seconds=60)
    return PendingOrder(uuid4(), "alice", purchase.lines, purchase.total, until)


def waits_for(gate: asyncio.Event) -> Fault:
    async def wait(request: httpx.Request, serve: Serve) -> httpx.Response:
        await gate.wait()
        return await serve(request)

    return wait


async def until(condition: Callable[[], object]) -> None:
    """Lets others run until something has happened."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
