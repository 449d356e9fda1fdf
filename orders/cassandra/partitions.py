"""The partition of an order: every change of it is one batch on condition of its version."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from orders.cassandra.sharding import SECOND
from orders.domain import KEPT_AFTER_ITS_END, Destination, Final, Known, Order, OutboxMessage
from orders.records import encoded, known_from, message_from, record_of
from orders.repositories import Overtaken
from store.cassandra.bridge import Bridge, OutcomeUnknown

UNKNOWN, PENDING, FINAL = None, 0, -1
# What nobody finds any more must not stay for ever; it is over, and told, long before.
LONG_SECONDS = 7 * 24 * 3600
FINAL_SECONDS = int(KEPT_AFTER_ITS_END.total_seconds())
AT_ONCE = 50
HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of an id, and what of it was not delivered."""

    known: Known | None
    messages: tuple[OutboxMessage, ...]

    @property
    def is_over(self) -> bool:
        """Nobody has anything to do with it any more, or yet."""
        return not self.messages and (self.known is None or isinstance(self.known, Final))


class Partitions:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def find(self, order_id: UUID) -> Known | None:
        rows = await self._bridge.ask("order", order_id)
        return _known(*rows[0]) if rows else None

    async def find_all(self, order_ids: Iterable[UUID]) -> Mapping[UUID, Known]:
        """Those of which something is known."""
        wanted = list(order_ids)
        parts = [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]
        asked = [self._bridge.ask("orders", part) for part in parts]
        found = {row[0]: _known(*row) for rows in await asyncio.gather(*asked) for row in rows}
        return {order_id: known for order_id, known in found.items() if known is not None}

    async def whole(self, order_id: UUID) -> Whole:
        rows = await self._bridge.ask("whole_order", order_id)
        messages = tuple(message_from(message) for _, message in rows if message is not None)
        return Whole(_known(order_id, rows[0][0]) if rows else None, messages)

    async def first_messages(
        self, order_ids: Sequence[UUID], destination: Destination
    ) -> list[OutboxMessage]:
        """The oldest of each that has any."""
        rows = await self._bridge.ask("first_messages", order_ids, destination)
        return [message_from(message) for (message,) in rows if message is not None]

    async def drop_message(self, message: OutboxMessage) -> None:
        """A message is written once and never again, so its deletion may be ahead of all clocks:
        Cassandra's, by which it was written, may be ahead of ours.
        """
        at = time.time_ns() // 1000 + HOUR
        await self._bridge.ask(
            "drop_message", at, message.order_id, message.destination, message.sequence
        )

    async def write(
        self,
        order_id: UUID,
        known: Known | None,
        *,
        expected: int | None,
        messages: Sequence[OutboxMessage] = (),
    ) -> None:
        """Raises Overtaken where the version is not as expected, and OutcomeUnknown where it may
        have been, or may become, as it was wanted.
        """
        mark = uuid4()
        columns = _columns(known, mark, is_told=not messages)
        parts = [("put_order", (*columns, order_id, expected))]
        parts += [("put_message", _message_row(message)) for message in messages]
        try:
            rows = await self._bridge.together("change_order", parts)
        except OutcomeUnknown:
            return await self._settle(order_id, mark, expected)
        # Cassandra may say no to what it has done itself: the mark says who did it.
        if not rows[0][0]:
            await self._settle(order_id, mark, object())
        return None

    async def _settle(self, order_id: UUID, mark: UUID, expected: object) -> None:
        rows = await self._bridge.ask("settled_order", order_id)
        version, found = rows[0] if rows else (UNKNOWN, None)
        if found == mark:
            return
        if version == expected:
            raise OutcomeUnknown
        raise Overtaken


def _known(order_id: UUID, text: str | None) -> Known | None:
    return None if text is None else known_from(order_id, text)


def _columns(known: Known | None, mark: UUID, *, is_told: bool) -> tuple[object, ...]:
    """Seconds to live, version, mark and text."""
    if known is None:
        return FINAL_SECONDS, UNKNOWN, mark, None
    text = encoded(record_of(known))
    match known:
        case Order(version=version):
            return 0, version, mark, text
        case Final():
            return FINAL_SECONDS if is_told else LONG_SECONDS, FINAL, mark, text
    return LONG_SECONDS, PENDING, mark, text


def _message_row(message: OutboxMessage) -> tuple[object, ...]:
    return message.order_id, message.destination, message.sequence, encoded(message)
