"""Stock that is held for nobody comes back; stock of an order never does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from orders.domain import PendingOrder, Status
from orders.repositories import OrderRepository
from store.errors import Conflict
from tests.orders.conftest import IN_PROCESS
from tests.orders.peers import fails, makes_no_sense, refuses_connections, speaks_html
from tests.orders.world import ALICE, World


async def test_a_hold_of_no_order_is_released(world: World) -> None:
    orphan = uuid4()
    world.catalog.hold(orphan, world.kettle)
    await world.sweeper.sweep()
    await world.everything_is_told()
    assert world.catalog.state(orphan) == "released"
    assert world.stock == 1000


async def test_an_id_that_was_swept_never_becomes_an_order(world: World) -> None:
    orphan = uuid4()
    world.catalog.hold(orphan, world.kettle)
    await world.sweeper.sweep()
    with pytest.raises(Conflict) as refused:
        await world.service.place(world.purchase(order_id=orphan))
    assert refused.value.word == "order_expired"


async def test_the_hold_of_an_order_in_the_making_is_left_alone(world: World) -> None:
    purchase = world.purchase()
    until = world.time() + timedelta(seconds=60)
    begun = PendingOrder(uuid4(), "alice", purchase.lines, purchase.total, until)
    await world.repository.begin(begun, most_open=1)
    world.catalog.hold(begun.id, world.kettle)
    await world.sweeper.sweep()
    assert world.catalog.reservations[begun.id].moves == []


async def test_the_hold_of_an_order_whose_sale_is_on_its_way_is_left_alone(
    repository: OrderRepository,
) -> None:
    world = World(repository)
    order = await world.place()
    await world.sweeper.sweep()
    assert world.catalog.reservations[order.id].moves == []


@pytest.mark.parametrize(
    ("status", "state"), [(Status.CREATED, "sold"), (Status.CANCELLED, "returned")]
)
async def test_a_catalog_that_forgot_is_told_again(
    world: World, status: Status, state: str
) -> None:
    order = await world.place()
    if status is Status.CANCELLED:
        await world.service.cancel(order.id, ALICE)
    await world.everything_is_told()
    world.catalog.reservations[order.id].state = "held"
    await world.sweeper.sweep()
    assert world.catalog.state(order.id) == state


async def test_a_deleted_order_is_remembered_too(world: World) -> None:
    order = await world.bring_to(await world.place(), Status.DELIVERED)
    await world.everything_is_told()
    await world.go_on(300)
    world.catalog.reservations[order.id].state = "held"
    await world.sweeper.sweep()
    assert world.catalog.state(order.id) == "sold"


@pytest.mark.parametrize("fault", [refuses_connections, fails, speaks_html, makes_no_sense])
async def test_a_catalog_that_is_away_is_asked_again_next_time(world: World, fault: object) -> None:
    orphan = uuid4()
    world.catalog.hold(orphan, world.kettle)
    world.catalog.faults.append(fault)  # type: ignore[arg-type]
    await world.sweeper.sweep()
    assert world.catalog.state(orphan) == "held"
    await world.sweeper.sweep()
    await world.everything_is_told()
    assert world.catalog.state(orphan) == "released"


async def test_an_order_whose_making_broke_off_is_made_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = world.repository.commit

    async def full(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(world.repository, "commit", commit)
        raise OSError("No space left on device")

    monkeypatch.setattr(world.repository, "commit", full)
    with pytest.raises(OSError, match="No space"):
        await world.place()
    await world.sweeper.keep_house()
    await world.making.close(seconds=5)
    await world.everything_is_told()
    assert world.stock == 999
    assert [order.version for order in await world.repository.page(limit=2)] == [1]


@IN_PROCESS
async def test_the_round_drops_final_answers_after_their_day(world: World) -> None:
    orphan = uuid4()
    world.catalog.hold(orphan, world.kettle)
    await world.sweeper.keep_house()
    await world.everything_is_told()
    assert await world.repository.find(orphan) is not None
    world.time.go_on(24 * 3600)
    await world.sweeper.keep_house()
    assert await world.repository.find(orphan) is None


async def test_prometheus_sees_what_the_last_whole_round_found(world: World) -> None:
    def shown() -> tuple[float | None, float | None]:
        names = ("order_holds_overdue", "order_sweep_last_run_timestamp_seconds")
        overdue, at = (REGISTRY.get_sample_value(name) for name in names)
        return overdue, at

    world.catalog.hold(uuid4(), world.kettle)
    await world.sweeper.sweep()
    found = shown()
    await world.everything_is_told()
    world.catalog.fault = fails
    await world.sweeper.sweep()
    unchanged = shown()
    world.catalog.fault = None
    await world.sweeper.sweep()

    assert found[0] == 1
    assert unchanged == found
    assert shown()[0] == 0
