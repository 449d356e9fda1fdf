"""What only carts on Cassandra have to promise: several instances, lost answers, deaths."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from carts.checkout import CheckoutService
from carts.clients import OrdersClient
from carts.domain import Cart, CheckoutIntent, Product, View
from store.tasks import Tasks
from tests.carts.conftest import next_turn
from tests.carts.peers import NOON, Clock, FakeOrders, Gate, peer

pytestmark = pytest.mark.cassandra

LAMP = Product(uuid4(), "Лампа", Decimal("9.99"), 1000)


@pytest.fixture
def instance(on_cassandra: Any, bridge: Any, clock: Clock) -> Callable[[], Any]:
    """Each call is another instance over the same tables; they have the same time."""
    from carts.cassandra.store import CassandraCarts

    return lambda: CassandraCarts(bridge, now=clock.now)


async def add(store: Any, product: Product = LAMP, user: str = "alice") -> None:
    await store.change(user, lambda cart: cart.add(product, 1))


async def begin(store: Any, order_id: UUID | None = None) -> CheckoutIntent:
    now = store._now()
    intent: CheckoutIntent = await store.change(
        "alice", lambda cart: cart.begin_checkout(order_id or uuid4(), now=now)
    )
    return intent


async def test_two_instances_change_one_cart_and_lose_no_line(
    instance: Callable[[], Any],
) -> None:
    one, other = instance(), instance()
    products = [Product(uuid4(), f"Товар {number}", Decimal(1), 10) for number in range(10)]

    await asyncio.gather(
        *(add(store, product) for product in products for store in (one, other)),
        *(add(store) for store in (one, other) for _ in range(10)),
    )

    cart = await instance().cart("alice")
    assert {line.product_id: line.quantity for line in cart.lines.values()} == {
        **{product.id: 2 for product in products},
        LAMP.id: 20,
    }


async def test_two_instances_begin_one_checkout(instance: Callable[[], Any]) -> None:
    stores = [instance(), instance()]
    await add(stores[0])

    intents = await asyncio.gather(*(begin(store) for store in stores * 5))

    assert len(set(intents)) == 1
    assert [await store.open_intents() for store in stores] == [[intents[0]]] * 2


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_lost_answer_changes_the_cart_once(
    instance: Callable[[], Any], bridge: Any, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    from store.cassandra.bridge import OutcomeUnknown

    store, really, lost = instance(), bridge.ask, []

    async def ask(name: str, *values: Any) -> Any:
        if name != "put_cart" or lost:
            return await really(name, *values)
        lost.append(values)
        if is_done:
            await really(name, *values)
            # And before anybody looks, another instance has changed it again.
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(bridge, "ask", really)
                await add(instance())
        raise OutcomeUnknown

    monkeypatch.setattr(bridge, "ask", ask)
    await add(store)

    cart = await store.cart("alice")
    assert len(lost) == 1
    assert cart.lines[LAMP.id].quantity == (2 if is_done else 1)


async def test_a_write_that_a_paused_node_carries_out_late_comes_to_nothing(
    instance: Callable[[], Any], bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.cassandra.bridge import OutcomeUnknown

    store, really, late = instance(), bridge.ask, []

    async def ask(name: str, *values: Any) -> Any:
        if name == "put_cart" and not late:
            late.append(values)
            raise OutcomeUnknown
        return await really(name, *values)

    monkeypatch.setattr(bridge, "ask", ask)
    await add(store)
    applied = await really("put_cart", *late[0])

    assert applied[0][0] is False
    assert (await store.cart("alice")).lines[LAMP.id].quantity == 1


async def test_a_checkout_stays_with_its_instance_while_that_lives(
    instance: Callable[[], Any], clock: Clock
) -> None:
    one, other = instance(), instance()
    await add(one)
    intent = await begin(one)

    for _ in range(12):
        clock.passes(1)
        await one.hold([intent])
        assert await other.left_behind() == []


async def test_a_checkout_of_a_dead_instance_is_taken_once_and_in_time(
    instance: Callable[[], Any], clock: Clock
) -> None:
    one, others = instance(), [instance() for _ in range(4)]
    await add(one)
    intent = await begin(one)

    taken: list[CheckoutIntent] = []
    seconds = 0
    while not taken:
        clock.passes(1)
        seconds += 1
        found = await asyncio.gather(*(other.left_behind() for other in others))
        taken = [each for intents in found for each in intents]

    assert taken == [intent]
    assert seconds <= 7
    assert [await other.left_behind() for other in others] == [[]] * 4


async def test_a_checkout_whose_instance_dies_at_orders_door_is_finished_by_another(
    instance: Callable[[], Any], orders: FakeOrders, clock: Clock
) -> None:
    dying, living = Tasks(), Tasks()
    one, other = (
        CheckoutService(
            instance(),
            OrdersClient(peer("orders", orders), seconds=30),
            tasks,
            now=clock.now,
            pause=next_turn,
        )
        for tasks in (dying, living)
    )
    await add(instance())
    gate = Gate(orders.accept)
    orders.script.append(gate)
    waiting = asyncio.create_task(one.place("alice"))
    await gate.reached.wait()
    await dying.close(seconds=0)
    await asyncio.wait([waiting])

    clock.passes(7)
    await other.resume()
    while other.running():
        await asyncio.sleep(0.01)

    assert len(orders.orders) == 1
    assert await instance().cart("alice") == Cart("alice")
    await living.close(seconds=0)


async def test_a_checkout_that_was_open_long_before_the_start_is_found(
    instance: Callable[[], Any], clock: Clock
) -> None:
    one = instance()
    await add(one)
    intent = await begin(one)
    clock.passes(20 * 3600)
    late = instance()

    found = [each for _ in range(24) for each in await late.left_behind()]

    assert found == [intent]


async def test_hints_that_were_left_behind_are_dropped(
    instance: Callable[[], Any], bridge: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    from store.cassandra.bridge import StoreAway

    store, really = instance(), bridge.ask
    await add(store)
    intent = await begin(store)

    async def ask(name: str, *values: Any) -> Any:
        if name in ("forget_checkout", "empty_cart"):
            raise StoreAway
        return await really(name, *values)

    with monkeypatch.context() as dying:
        dying.setattr(bridge, "ask", ask)
        await store.change("alice", lambda cart: cart.take_bought(intent))
    hinted = await store.count()
    clock.passes(10)

    assert await store.open_intents() == []
    assert await store.left_behind() == []
    assert (hinted, await store.page(after=None, limit=10), await store.count()) == (1, [], 0)
    assert await store._checkouts.every(now=clock.now()) == []


async def test_a_cart_is_in_the_list_whoever_fills_and_empties_it_at_once(
    instance: Callable[[], Any],
) -> None:
    stores = [instance(), instance()]

    async def fill_and_empty(store: Any) -> None:
        for _ in range(10):
            await add(store)
            await store.change("alice", Cart.clear)

    await asyncio.gather(*map(fill_and_empty, stores))
    await add(stores[0])

    assert [cart.user for cart in await stores[1].page(after=None, limit=10)] == ["alice"]


async def test_only_the_latest_views_are_kept(instance: Callable[[], Any], bridge: Any) -> None:
    store = instance()
    views = [View(uuid4(), NOON + timedelta(seconds=number)) for number in range(15)]
    for view in views:
        await store.record_view("alice", view)

    assert (await store.recent_views("alice")).views == tuple(reversed(views[5:]))
    assert len(await bridge.ask("recent_views", "alice")) == 10


async def test_an_older_view_that_comes_late_changes_nothing(instance: Callable[[], Any]) -> None:
    store, product_id = instance(), uuid4()
    late, early = View(product_id, NOON + timedelta(seconds=1)), View(product_id, NOON)
    await store.record_view("alice", late)
    await store.record_view("alice", early)

    assert (await store.recent_views("alice")).views == (late,)
