"""News of orders, each step counted once: a person's partition is changed by conditional batches.

A round reads the person's sum together with the rows of the orders in question, decides in
memory, and writes sum, orders and steps on condition that the sum is still the one it knew.
Whatever it cannot know makes it read and decide anew: a step finds there what it did before.
"""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from accounts.cassandra.rows import Row, in_groups, step_of, step_values
from accounts.cassandra.sums import Order, Registered, Request, Round, Sum, Told
from accounts.domain import OrderRecord, OrderUpdate
from store.cassandra.bridge import Bridge, OutcomeUnknown
from store.cassandra.merging import Merging
from store.tasks import Tasks

SUM = ("sum", "")
# A batch of them stays well below what Cassandra accepts.
MERGED = 50

Part = tuple[str, Sequence[object]]
# Whether it changed something, and what is spent then.
Outcome = tuple[bool, Decimal]


class News:
    """The sums, orders and steps of all people, by their exact names."""

    def __init__(
        self, bridge: Bridge, tasks: Tasks, *, keep_seconds: int, stranger_seconds: int
    ) -> None:
        """An order that ended is remembered for ``keep_seconds``, what is heard of people who are
        not registered for ``stranger_seconds``.
        """
        self._bridge = bridge
        self._keep_seconds = keep_seconds
        self._stranger_seconds = stranger_seconds
        self._desks: Merging[str, Request, Outcome] = Merging(
            tasks, self._round, name="news", most=MERGED
        )

    async def record(self, update: OrderUpdate) -> bool:
        is_new, _ = await self._desks.ask(update.user_id, Told(update))
        return is_new

    async def register(self, username: str) -> Decimal:
        """What is known of the person stays for good from now on; what was spent before."""
        _, spent = await self._desks.ask(username, Registered())
        return spent

    async def spent(self, usernames: Sequence[str]) -> Mapping[str, Decimal]:
        """Without those who never ordered."""
        return dict(await self._of_each("spent", usernames))

    async def arrived(self, usernames: Sequence[str]) -> Mapping[str, int]:
        """How many steps have come; without those for whom none has."""
        return dict(await self._of_each("arrived", usernames))

    async def steps(self, username: str) -> list[tuple[int, OrderUpdate]]:
        """The last 100, each with its number, in the order of their arrival."""
        rows = await self._bridge.ask("steps", username)
        return sorted(((row[1], step_of(row)) for row in rows), key=lambda step: step[0])

    async def orders(self, order_ids: Sequence[UUID]) -> dict[UUID, OrderRecord]:
        keys_of: dict[str, list[str]] = {}
        for some in in_groups(order_ids):
            for order_id, username in await self._bridge.ask("order_owners", some):
                keys_of.setdefault(username, []).append(str(order_id))
        found = {}
        for username, keys in keys_of.items():
            for key, version, counted in await self._bridge.ask("order_records", username, keys):
                found[UUID(key)] = OrderRecord(version, counted)
        return found

    async def _of_each(self, name: str, usernames: Sequence[str]) -> list[Row]:
        found: list[Row] = []
        for some in in_groups(usernames):
            found += await self._bridge.ask(name, some)
        return found

    async def _round(self, username: str, requests: Sequence[Request]) -> list[Outcome] | None:
        """None where it is not to be known what becomes of it."""
        told = {each.update.order_id for each in requests if isinstance(each, Told)}
        known, orders = await self._known(username, told)
        round_ = Round(known, orders)
        outcomes = [(round_.outcome(each), round_.sum.spent) for each in requests]
        if round_.sum != known and not await self._is_written(username, known, round_):
            return None
        return outcomes

    async def _known(self, username: str, told: set[UUID]) -> tuple[Sum, dict[UUID, Order]]:
        """One read for all: no order may be older than the sum that the batch checks."""
        keys = [SUM, *(("order", str(order_id)) for order_id in told)]
        known, orders = Sum(), {}
        for kind, key, *values in await self._bridge.ask("known_news", username, keys):
            version, arrived, spent, is_registered, counted, mark = values
            if kind == "order":
                orders[UUID(key)] = Order(OrderRecord(version, counted), mark)
            else:
                known = Sum(version, arrived, spent, is_registered)
        return known, orders

    async def _is_written(self, username: str, known: Sum, round_: Round) -> bool:
        await asyncio.gather(*(self._own(username, round_, each) for each in round_.orders))
        after, seconds = round_.sum, self._seconds(round_)
        values = (after.arrived, after.spent, after.is_registered, username, known.version)
        parts: list[Part] = [("put_sum", (seconds, (known.version or 0) + 1, *values))]
        for place, (number, update) in round_.steps.items():
            parts.append(
                ("put_step", (seconds, number, *step_values(update), username, f"{place:02d}"))
            )
        for order_id, order in round_.orders.items():
            record = (order.record.version, order.record.counted, order.mark)
            ttl = self._seconds(round_, order)
            parts.append(("put_order", (ttl, *record, username, str(order_id))))
        try:
            answer = await self._bridge.together("count_news", parts)
        except OutcomeUnknown:
            return False
        return bool(answer[0][0])

    async def _own(self, username: str, round_: Round, order_id: UUID) -> None:
        """Says whose an order is before it is there, and until when at its end."""
        order = round_.orders[order_id]
        if order.is_over or round_.is_new(order_id):
            await self._bridge.ask("own_order", order_id, username, self._seconds(round_, order))

    def _seconds(self, round_: Round, order: Order | None = None) -> int:
        """For how long it is kept; 0 is for good."""
        if order is not None and order.is_over:
            return self._keep_seconds
        return 0 if round_.sum.is_registered else self._stranger_seconds
