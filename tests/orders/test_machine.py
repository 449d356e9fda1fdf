"""Whatever is done to orders, in whatever order: a small model says what must come of it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from orders.domain import LIFECYCLE, OPEN, Destination, Status
from orders.memory import MemoryOrders
from store.errors import ShopError
from tests.orders.peers import (
    fails,
    refuses_connections,
    times_out_after_applying,
    times_out_before,
)
from tests.orders.world import ALICE, BOSS, DELIVERY, TIMETABLE, Person, World

T = TypeVar("T")

STOCK = 1000
FAULTS = st.sampled_from([refuses_connections, times_out_after_applying, times_out_before, fails])


@dataclass
class Expected:
    """All that the model knows of an order."""

    units: int
    status: Status
    version: int
    due: datetime

    def enter(self, status: Status, at: datetime) -> None:
        self.status, self.version = status, self.version + 1
        self.due = at + TIMETABLE.stay(status, delivery=DELIVERY)

    def may_cancel(self, actor: Person) -> bool:
        early = self.status in (Status.CREATED, Status.PROCESSING)
        return early or (self.status is Status.SHIPPING and actor.is_admin)


class Orders(RuleBasedStateMachine):
    ids: Bundle[UUID] = Bundle("ids")

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.expected: dict[UUID, Expected] = {}
        self.world = self.run(self._world())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _world(self) -> World:
        world = World(MemoryOrders())
        await world.open()
        return world

    @rule(target=ids, units=st.integers(1, 5), faults=st.lists(FAULTS, max_size=3))
    def place(self, units: int, faults: list[Any]) -> UUID:
        # A refused connection at the very first attempt makes no order: not told here.
        self.world.catalog.faults.clear()
        self.world.catalog.faults.extend(f for f in faults if f is not refuses_connections)
        order = self.run(self.world.place(quantity=units))
        self.expected[order.id] = Expected(units, order.status, order.version, order.next_at)
        return order.id

    @rule(order_id=ids, actor=st.sampled_from([ALICE, BOSS]))
    def cancel(self, order_id: UUID, actor: Person) -> None:
        expected = self.expected.get(order_id)
        is_allowed = expected is not None and expected.may_cancel(actor)
        assert self._succeeds(self.world.service.cancel(order_id, actor)) == is_allowed
        if expected and is_allowed:
            expected.enter(Status.CANCELLED, self.world.time())

    @rule(order_id=ids, status=st.sampled_from(Status))
    def set_by_hand(self, order_id: UUID, status: Status) -> None:
        expected = self.expected.get(order_id)
        is_allowed = expected is not None and _is_lawful(expected.status, status)
        assert self._succeeds(self.world.service.set_status(order_id, status)) == is_allowed
        if expected and is_allowed:
            expected.enter(status, self.world.time())

    @rule(seconds=st.sampled_from([0.5, 1, 5, 10, 60, 111, 301, 24 * 3600]))
    def time_passes(self, seconds: float) -> None:
        """And everything is told: an order with news to tell outlives its time."""
        self.run(self.world.go_on(seconds))
        self._tell()
        self.run(self.world.go_on(0))
        self._pass(self.world.time())

    @rule(order_id=ids)
    def race(self, order_id: UUID) -> None:
        """Owner, admin and clock want the same order at the same moment: the model follows."""
        expected = self.expected.get(order_id)
        if expected is None or expected.status not in OPEN:
            return
        self.world.time.present = max(self.world.time(), expected.due)
        service = self.world.service
        outcomes = self.run(
            _together(
                service.cancel(order_id, ALICE),
                service.advance_due(self.world.time()),
                service.set_status(order_id, LIFECYCLE[expected.status].next or Status.CREATED),
                service.cancel(order_id, BOSS),
            )
        )
        expected.status, expected.version = self._present(order_id)
        cancels = sum(getattr(each, "status", "") == "CANCELLED" for each in outcomes)
        assert cancels == (expected.status is Status.CANCELLED)
        assert expected.status not in OPEN
        self._pass(self.world.time())

    @rule(faults=st.lists(FAULTS, max_size=4), destination=st.sampled_from(Destination))
    def a_peer_misbehaves(self, faults: list[Any], destination: Destination) -> None:
        peer = self.world.catalog if destination is Destination.CATALOG else self.world.accounts
        peer.faults.extend(fault for fault in faults)
        self._tell()

    @rule(order_id=consumes(ids))
    def forget(self, order_id: UUID) -> None:
        """Only the test forgets: the model goes on checking it."""

    @rule()
    def restart(self) -> None:
        self.run(self.world.restart())

    @invariant()
    def orders_are_as_expected(self) -> None:
        page = self.run(self.world.repository.page(limit=10_000))
        found = {order.id: (order.status, order.version) for order in page}
        model = {each: (order.status, order.version) for each, order in self.expected.items()}
        assert found == model
        assert list(page) == sorted(page, key=lambda order: (order.created_at, order.id))[::-1]

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self._tell()
        self._check_stock()
        self._check_news()
        self.run(self.world.close())
        self.runner.close()

    def _check_stock(self) -> None:
        taken = 0
        for reservation in self.world.catalog.reservations.values():
            moves = list(dict.fromkeys(reservation.moves))
            assert moves in (["sold"], ["sold", "returned"])
            if reservation.state == "sold":
                taken += sum(reservation.quantities.values())
        assert self.world.stock == STOCK - taken
        for order_id, order in self.expected.items():
            is_back = order.status is Status.CANCELLED
            assert self.world.catalog.state(order_id) == ("returned" if is_back else "sold")

    def _check_news(self) -> None:
        histories: dict[str, dict[int, Status]] = {}
        for news in self.world.accounts.news:
            history = histories.setdefault(news["order_id"], {})
            assert news["version"] in (len(history), len(history) + 1)
            history[news["version"]] = Status(news["status"])
        for history in histories.values():
            path = list(history.values())
            assert path[0] is Status.CREATED
            assert all(map(_is_lawful, path, path[1:]))
        for order_id, order in self.expected.items():
            assert histories[str(order_id)][order.version] is order.status

    def _pass(self, now: datetime) -> None:
        for order_id, order in list(self.expected.items()):
            while order.due <= now and (following := LIFECYCLE[order.status].next):
                order.enter(following, order.due)
            if order.due <= now:
                del self.expected[order_id]

    def _present(self, order_id: UUID) -> tuple[Status, int]:
        order = self.run(self.world.service.order(order_id))
        self.expected[order_id].due = order.next_at
        return order.status, order.version

    def _succeeds(self, work: Coroutine[Any, Any, object]) -> bool:
        try:
            self.run(work)
        except ShopError:
            return False
        return True

    def _tell(self) -> None:
        async def until_told() -> None:
            async with asyncio.timeout(10):
                while any(map(self.world.repository.undelivered, Destination)):
                    await asyncio.sleep(0.001)

        self.run(until_told())


def _is_lawful(before: Status, after: Status) -> bool:
    return after is LIFECYCLE[before].next or (after is Status.CANCELLED and before in OPEN)


async def _together(*work: Coroutine[Any, Any, object]) -> list[object]:
    return await asyncio.gather(*work, return_exceptions=True)


Orders.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOrders = Orders.TestCase
