"""One checkout, one order: whatever orders does, whoever hangs up, however many ask."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import jwt
import pytest

from carts.checkout import CheckoutRunning, CheckoutService
from carts.clients import OrderRefused
from carts.domain import EmptyCart, Product, order_id_for
from carts.repositories import CartRepository
from carts.services import CartService
from store.http import PeerAway, PeerRefused
from store.tasks import Tasks
from tests.carts.conftest import Growth, MakeCheckouts
from tests.carts.peers import (
    NOON,
    Behaviour,
    Clock,
    FakeCatalog,
    FakeOrders,
    Gate,
    answers,
    answers_html,
    drops_the_connection,
    hangs,
    refuses_the_connection,
    times_out,
)

DOUBTS = [
    times_out,
    drops_the_connection,
    hangs,
    answers_html,
    answers(500, {"detail": "Oops."}),
    answers(503, {"detail": "Later."}),
    answers(302, {}),
    answers(200, []),
    answers(201, {"id": "1", "items": "none"}),
    answers(201, {"id": "1", "items": [{"product_id": 5, "quantity": 1}]}),
]
NOT_BEGUN = [
    refuses_the_connection,
    answers(401, {"detail": "Bad token.", "code": "bad_token"}),
    answers(403, {"detail": "No.", "code": "forbidden"}),
    answers(404, {"detail": "What?", "code": "not_found"}),
]


@pytest.fixture
async def lamp(carts: CartService, catalog: FakeCatalog) -> Product:
    """Two of it are in alice's cart."""
    lamp = catalog.has("Лампа", price="99.99")
    await carts.add("alice", lamp.id, quantity=2)
    return lamp


async def quantity_left(carts: CartService, lamp: Product) -> int:
    line = (await carts.cart("alice")).lines.get(lamp.id)
    return line.quantity if line else 0


async def test_a_checkout_makes_the_order_and_empties_the_cart(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    order = await checkouts.place("alice")

    assert orders.orders == {order["id"]: order}
    assert (order["user_id"], order["total"]) == ("alice", Decimal("199.98"))
    assert (await carts.cart("alice")).lines == {}


async def test_orders_is_told_the_lines_as_shown_the_total_and_how_long_they_are_valid(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    await checkouts.place("alice")

    (asked,) = orders.attempts
    item = {"product_id": str(lamp.id), "quantity": 2, "price": Decimal("99.99")}
    assert (asked["items"], asked["total"]) == ([item], Decimal("199.98"))
    assert asked["valid_until"] == "2026-07-25T12:01:00Z"


async def test_orders_is_asked_by_the_service_for_the_user(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    await checkouts.place("alice")

    headers = orders.requests[0].headers
    token = headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (headers["X-User-ID"], claims["sub"]) == ("alice", "service:carts")


async def test_an_empty_cart_is_not_checked_out(
    checkouts: CheckoutService, orders: FakeOrders
) -> None:
    with pytest.raises(EmptyCart):
        await checkouts.place("alice")

    assert orders.requests == []


async def test_a_checkout_is_counted_once(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product, grown: Growth
) -> None:
    orders.script.append(orders.lose_the_answer)

    await asyncio.gather(*(checkouts.place("alice") for _ in range(5)))

    assert grown("checkouts_total") == 1
    assert grown("cart_value_cents_sum") == 19998
    assert grown("cart_value_cents_bucket", le="20000.0") == 1
    assert grown("cart_value_cents_bucket", le="15000.0") == 0
    assert grown("cart_items_count_sum") == 2
    assert grown("cart_items_count_bucket", le="2.0") == 1


async def test_twenty_checkouts_at_once_are_one_order_and_one_answer(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    answered = await asyncio.gather(*(checkouts.place("alice") for _ in range(20)))

    assert len(orders.orders) == len(orders.attempts) == 1
    assert {order["id"] for order in answered} == set(orders.orders)


async def test_checkouts_of_many_users_do_not_mix(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, catalog: FakeCatalog
) -> None:
    users = [f"user{number}" for number in range(30)]
    product = catalog.has()
    await asyncio.gather(*(carts.add(user, product.id, quantity=1) for user in users))

    answered = await asyncio.gather(*(checkouts.place(user) for user in users))

    assert [order["user_id"] for order in answered] == users
    assert len(orders.orders) == len(users)


@pytest.mark.parametrize("behaviour", NOT_BEGUN)
async def test_a_first_attempt_that_began_nothing_ends_the_checkout(
    carts: CartService,
    checkouts: CheckoutService,
    repository: CartRepository,
    orders: FakeOrders,
    lamp: Product,
    behaviour: Behaviour,
) -> None:
    orders.script.append(behaviour)

    with pytest.raises(PeerAway):
        await checkouts.place("alice")

    assert await repository.open_intents() == []
    assert await quantity_left(carts, lamp) == 2


async def test_after_an_attempt_that_began_nothing_the_next_buys_the_cart_as_it_is_then(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    orders.script.append(refuses_the_connection)
    with pytest.raises(PeerAway):
        await checkouts.place("alice")
    await carts.add("alice", lamp.id, quantity=1)

    order = await checkouts.place("alice")

    assert order["items"][0]["quantity"] == 3
    assert orders.attempts[0]["id"] != orders.attempts[1]["id"]


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_after_a_doubt_the_same_order_is_asked_for_until_there_is_an_answer(
    carts: CartService,
    make_checkouts: MakeCheckouts,
    orders: FakeOrders,
    lamp: Product,
    doubt: Behaviour,
) -> None:
    orders.script.extend([doubt, *NOT_BEGUN, doubt])

    order = await make_checkouts(seconds=0.05).place("alice")

    assert {attempt["id"] for attempt in orders.attempts} == {order["id"]} == set(orders.orders)
    assert len(orders.attempts) == len(NOT_BEGUN) + 3
    assert await quantity_left(carts, lamp) == 0


async def test_a_lost_answer_is_one_order_and_the_cart_is_emptied_once(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    gate = Gate(orders.accept)
    orders.script.extend([orders.lose_the_answer, gate])
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()
    await carts.add("alice", lamp.id, quantity=5)
    gate.open()

    order = await checkout

    assert order["items"][0]["quantity"] == 2
    assert len(orders.orders) == 1
    assert await quantity_left(carts, lamp) == 5


async def test_the_request_does_not_wait_for_ever_and_the_next_checkout_joins(
    make_checkouts: MakeCheckouts, orders: FakeOrders, lamp: Product
) -> None:
    checkouts = make_checkouts(patience=0.05)
    gate = Gate(orders.accept)
    orders.script.extend([times_out, gate])

    with pytest.raises(CheckoutRunning):
        await checkouts.in_time(checkouts.place("alice"))
    joined = asyncio.create_task(checkouts.place("alice"))
    await asyncio.sleep(0)
    gate.open()

    assert {(await joined)["id"]} == set(orders.orders)
    assert len(orders.attempts) == 2


async def test_a_client_that_hangs_up_changes_nothing(
    carts: CartService,
    checkouts: CheckoutService,
    tasks: Tasks,
    orders: FakeOrders,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()

    checkout.cancel()
    gate.open()
    await tasks.close(seconds=30)

    assert len(orders.orders) == 1
    assert await quantity_left(carts, lamp) == 0


@pytest.mark.parametrize("turns", range(12))
async def test_a_client_may_hang_up_at_any_moment(
    carts: CartService,
    checkouts: CheckoutService,
    tasks: Tasks,
    orders: FakeOrders,
    lamp: Product,
    turns: int,
) -> None:
    orders.script.append(orders.lose_the_answer)
    checkout = asyncio.create_task(checkouts.place("alice"))
    for _ in range(turns):
        await asyncio.sleep(0)

    checkout.cancel()
    await tasks.close(seconds=30)

    assert await quantity_left(carts, lamp) == (0 if orders.orders else 2)
    assert len(orders.orders) == (1 if turns else 0)


async def test_edits_during_the_checkout_neither_wait_nor_get_lost_nor_change_it(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    catalog: FakeCatalog,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()

    await carts.add("alice", lamp.id, quantity=1)
    await carts.add("alice", catalog.has("Стол").id, quantity=4)
    gate.open()
    order = await checkout

    assert [item["quantity"] for item in order["items"]] == [2]
    left = (await carts.cart("alice")).lines.values()
    assert [(line.name, line.quantity) for line in left] == [("Лампа", 1), ("Стол", 4)]


async def test_a_cart_cleared_during_the_checkout_is_bought_all_the_same(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()
    await carts.clear("alice")

    joined = asyncio.create_task(checkouts.place("alice"))
    await asyncio.sleep(0)
    gate.open()

    assert await joined == await checkout
    assert (await carts.cart("alice")).is_forgettable


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "Sold out.", "code": "insufficient_stock", "errors": {"lamp": ["0 left."]}},
        {"detail": "It is gone.", "code": "product_unavailable"},
        {"detail": "Too many.", "code": "too_many_open_orders"},
    ],
)
async def test_a_refusal_is_passed_on_as_it_is_and_the_cart_stays(
    carts: CartService,
    checkouts: CheckoutService,
    repository: CartRepository,
    orders: FakeOrders,
    lamp: Product,
    grown: Growth,
    body: dict[str, object],
) -> None:
    orders.script.append(answers(409, body))

    with pytest.raises(OrderRefused) as refusal:
        await checkouts.place("alice")

    assert refusal.value.body() == body
    assert await quantity_left(carts, lamp) == 2
    assert await repository.open_intents() == []
    assert grown("checkouts_total") == 0


async def test_after_changed_prices_the_cart_shows_the_new_ones(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    prices = {str(lamp.id): Decimal("120.5"), str(uuid4()): 7}
    body = {"detail": "Prices changed.", "code": "price_changed", "prices": prices}
    orders.script.append(answers(409, body))

    with pytest.raises(OrderRefused) as refusal:
        await checkouts.place("alice")

    assert refusal.value.body() == body
    assert (await carts.cart("alice")).total == Decimal(241)
    assert (await checkouts.place("alice"))["total"] == Decimal(241)


@pytest.mark.parametrize(
    "prices", [None, [], {"lamp": 1}, {str(uuid4()): "much"}, {str(uuid4()): {}}]
)
async def test_prices_that_make_no_sense_are_passed_on_and_leave_the_cart_alone(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    lamp: Product,
    prices: object,
) -> None:
    body = {"detail": "Prices changed.", "code": "price_changed", "prices": prices}
    orders.script.append(answers(409, body))

    with pytest.raises(OrderRefused, match="Prices changed"):
        await checkouts.place("alice")

    assert (await carts.cart("alice")).total == Decimal("199.98")


async def test_a_request_orders_calls_invalid_ends_the_checkout(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    orders.script.append(answers(400, {"detail": "Wrong sum.", "code": "total_mismatch"}))

    with pytest.raises(PeerRefused) as refusal:
        await checkouts.place("alice")

    assert refusal.value.status == 400
    assert (await carts.cart("alice")).intent is None


async def test_past_its_time_an_order_that_never_began_ends_the_checkout(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    clock: Clock,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.extend([times_out, gate])
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()
    clock.time = NOON + timedelta(seconds=61)
    gate.open()

    with pytest.raises(OrderRefused) as refusal:
        await checkout

    assert refusal.value.word == "order_expired"
    assert await quantity_left(carts, lamp) == 2
    assert (await checkouts.place("alice"))["id"] != orders.attempts[0]["id"]


async def test_past_its_time_an_order_that_was_made_is_still_the_answer(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    clock: Clock,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.extend([orders.lose_the_answer, gate])
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()
    clock.time = NOON + timedelta(hours=1)
    gate.open()

    assert (await checkout)["id"] in orders.orders
    assert await quantity_left(carts, lamp) == 0


async def test_after_a_restart_open_checkouts_are_taken_up(
    carts: CartService,
    make_checkouts: MakeCheckouts,
    repository: CartRepository,
    tasks: Tasks,
    orders: FakeOrders,
    clock: Clock,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.extend([orders.lose_the_answer, gate])
    before = asyncio.create_task(make_checkouts().place("alice"))
    await gate.reached.wait()
    await tasks.close(seconds=0)

    # Where others might carry it on, a dead instance is missed after a while.
    clock.passes(7)
    await make_checkouts().resume()
    await tasks.close(seconds=30)

    assert before.cancelled()

    assert len(orders.orders) == 1
    assert await quantity_left(carts, lamp) == 0
    assert await repository.open_intents() == []


async def test_a_checkout_that_two_processes_carry_out_ends_and_is_counted_once(
    carts: CartService,
    make_checkouts: MakeCheckouts,
    tasks: Tasks,
    orders: FakeOrders,
    lamp: Product,
    grown: Growth,
) -> None:
    gate = Gate(orders.accept)
    orders.script.extend([orders.lose_the_answer, gate])
    first = asyncio.create_task(make_checkouts().place("alice"))
    await gate.reached.wait()
    await carts.add("alice", lamp.id, quantity=2)

    second = await make_checkouts().place("alice")
    gate.open()

    assert (await first)["id"] == second["id"]
    assert await quantity_left(carts, lamp) == 2
    assert grown("checkouts_total") == 1


async def test_a_checkout_whose_task_failed_is_taken_up_by_the_next(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    lamp: Product,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def has_a_bug(request: object) -> None:
        await orders.accept(orders.requests[-1])
        raise LookupError("a bug of ours")

    orders.script.append(has_a_bug)  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        await checkouts.place("alice")

    order = await checkouts.place("alice")

    assert set(orders.orders) == {order["id"]}
    assert await quantity_left(carts, lamp) == 0
    assert "a bug of ours" in caplog.text


async def test_a_key_names_its_order(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    order = await checkouts.place("alice", key="k1")

    assert order["id"] == str(order_id_for("alice", "k1"))


async def test_checkouts_with_two_keys_and_none_at_once_are_one_order(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    keys = ["k1", None, "k2", "k1", None]

    answered = await asyncio.gather(*(checkouts.place("alice", key=key) for key in keys))

    assert {order["id"] for order in answered} == set(orders.orders)
    assert len(orders.attempts) == 1


async def test_a_key_whose_answer_was_lost_finds_its_order_though_the_cart_is_empty(
    checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    order = await checkouts.place("alice", key="k1")

    assert await checkouts.place("alice", key="k1") == order
    with pytest.raises(EmptyCart):
        await checkouts.place("alice", key="k2")
    with pytest.raises(EmptyCart):
        await checkouts.place("bob", key="k1")


async def test_an_order_of_other_things_that_was_in_the_making_leaves_the_cart_alone(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    other = {"id": str(uuid4()), "items": [{"product_id": str(uuid4()), "quantity": 1}]}
    orders.script.append(answers(201, other))

    assert await checkouts.place("alice", key="k1") == other

    assert await quantity_left(carts, lamp) == 2


async def test_a_key_is_good_for_a_day_and_then_makes_another_order(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    clock: Clock,
    lamp: Product,
) -> None:
    first = await checkouts.place("alice", key="k1")
    clock.time = NOON + timedelta(hours=25)
    with pytest.raises(EmptyCart):
        await checkouts.place("alice", key="k1")
    await carts.add("alice", lamp.id, quantity=1)

    second = await checkouts.place("alice", key="k1")

    assert set(orders.orders) == {first["id"], second["id"]}
    assert await quantity_left(carts, lamp) == 0
    assert await checkouts.place("alice", key="k1") == second


async def test_a_clock_of_orders_that_is_days_behind_makes_no_second_order(
    carts: CartService,
    make_checkouts: MakeCheckouts,
    orders: FakeOrders,
    clock: Clock,
    lamp: Product,
) -> None:
    orders.clock = Clock()
    clock.time = NOON + timedelta(days=3)
    orders.script.append(orders.lose_the_answer)

    order = await make_checkouts().place("alice", key="k1")

    assert set(orders.orders) == {order["id"]}
    assert await quantity_left(carts, lamp) == 0


@pytest.mark.parametrize("behaviour", [refuses_the_connection, answers(500, {}), answers(200, [])])
async def test_a_key_and_an_empty_cart_are_no_answer_while_orders_is_away(
    checkouts: CheckoutService, orders: FakeOrders, behaviour: Behaviour
) -> None:
    orders.finding = behaviour

    with pytest.raises(PeerAway):
        await checkouts.place("alice", key="k1")


async def test_a_key_whose_answer_was_lost_finds_its_order_and_leaves_a_new_cart_alone(
    carts: CartService,
    checkouts: CheckoutService,
    repository: CartRepository,
    orders: FakeOrders,
    lamp: Product,
    clock: Clock,
    grown: Growth,
) -> None:
    order = await checkouts.place("alice", key="k1")
    clock.time += timedelta(minutes=5)
    await carts.add("alice", lamp.id, quantity=2)

    assert await checkouts.place("alice", key="k1") == order

    assert await quantity_left(carts, lamp) == 2
    assert await repository.open_intents() == []
    assert grown("checkouts_total") == 1


async def test_a_request_that_arrives_twice_is_one_order_and_empties_the_cart(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    async def arrives_twice(request: httpx.Request) -> httpx.Response:
        await orders.accept(request)
        return await orders.accept(request)

    orders.script.append(arrives_twice)

    order = await checkouts.place("alice")

    assert list(orders.orders.values()) == [order]
    assert await quantity_left(carts, lamp) == 0


async def test_an_order_of_other_things_under_the_key_leaves_the_cart_alone_even_after_a_doubt(
    carts: CartService, checkouts: CheckoutService, orders: FakeOrders, lamp: Product
) -> None:
    order = await checkouts.place("alice", key="k1")
    await carts.add("alice", lamp.id, quantity=7)
    orders.script.append(times_out)

    assert await checkouts.place("alice", key="k1") == order

    assert await quantity_left(carts, lamp) == 7


async def test_attempts_come_at_growing_distances(
    make_checkouts: MakeCheckouts, orders: FakeOrders, lamp: Product
) -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    orders.script.extend([times_out] * 9)  # a tenth would open the breaker
    await make_checkouts(pause=note).place("alice")

    assert len(pauses) == 9
    assert 0.05 <= pauses[0] <= 0.1
    assert 0.4 <= pauses[3] <= 0.8
    assert 2.5 <= pauses[-1] <= 5


async def test_a_price_that_rose_after_the_checkout_began_does_not_change_what_was_meant(
    carts: CartService,
    checkouts: CheckoutService,
    orders: FakeOrders,
    catalog: FakeCatalog,
    lamp: Product,
) -> None:
    gate = Gate(orders.accept)
    orders.script.append(gate)
    checkout = asyncio.create_task(checkouts.place("alice"))
    await gate.reached.wait()
    catalog.products[lamp.id] = replace(lamp, price=Decimal(500))
    await carts.set_quantity("alice", lamp.id, quantity=3)
    gate.open()

    assert (await checkout)["total"] == Decimal("199.98")
    assert (await carts.cart("alice")).total == 500
