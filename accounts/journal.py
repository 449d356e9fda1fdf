"""People who outlive their process: the memory store, and a journal of what it changes.

Registrations and news of orders are safe on the disk before they are answered: nobody says them
a second time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import compress
from typing import Any
from uuid import UUID

import msgspec

from accounts.domain import Applicant, OrderRecord, OrderUpdate, User
from accounts.repositories import MemoryAccounts
from store.journal import Change, Journal

USERS, SPENT, UPDATES, ORDERS = "users", "spent", "updates", "orders"


class OrderRow(msgspec.Struct):
    version: int
    counted: Decimal
    ended_at: datetime | None


decode_user = msgspec.json.Decoder(User).decode
decode_spent = msgspec.json.Decoder(Decimal).decode
decode_update = msgspec.json.Decoder(OrderUpdate).decode
decode_order = msgspec.json.Decoder(OrderRow).decode


class JournaledAccounts(MemoryAccounts):
    """The memory changes at once; whoever changed it goes on when the journal has it."""

    def __init__(self, journal: Journal, **limits: Any) -> None:
        super().__init__(**limits)
        self._journal = journal
        self._restore_users([decode_user(row) for row in journal.take(USERS).values()])
        self._restore_orders(journal.take(ORDERS))
        self._restore_news(journal.take(SPENT), journal.take(UPDATES))
        journal.keep(self._rows)

    async def confirm(self, applicant: Applicant, password_hash: str, *, now: datetime) -> User:
        self._journal.admit()
        user = await super().confirm(applicant, password_hash, now=now)
        await self._journal.write([(USERS, user.id, user)], synced=True)
        return user

    async def change(
        self, username: str, *, full_name: str | None, phone: str | None
    ) -> User | None:
        self._journal.admit()
        user = await super().change(username, full_name=full_name, phone=phone)
        if user is not None:
            await self._journal.write([(USERS, user.id, user)], synced=False)
        return user

    async def record(self, update: OrderUpdate, *, now: datetime) -> bool:
        return (await self.record_all([update], now=now))[0]

    async def record_all(self, updates: Sequence[OrderUpdate], *, now: datetime) -> Sequence[bool]:
        """A repetition is answered only when what it repeats is safe."""
        self._journal.admit()
        are_new = [await MemoryAccounts.record(self, update, now=now) for update in updates]
        changes = [row for new in compress(updates, are_new) for row in self._recorded(new)]
        if changes:
            await self._journal.write(changes, synced=True)
        else:
            await self._journal.settled()
        return are_new

    def _recorded(self, update: OrderUpdate) -> Sequence[Change]:
        return [
            (UPDATES, update.event_id, update),
            (SPENT, update.user_id, self._news_of(update.user_id).spent),
            (ORDERS, update.order_id, self._order_row(update.order_id)),
        ]

    def _order_row(self, order_id: UUID) -> OrderRow | None:
        """None where it is forgotten by now."""
        record = self._orders.get(order_id)
        if record is None:
            return None
        return OrderRow(record.version, record.counted, self._ended.get(order_id))

    def _restore_users(self, users: Sequence[User]) -> None:
        for user in sorted(users, key=lambda user: user.id):
            key = user.username.casefold()
            self._users[key] = user
            self._ids.append(key)

    def _restore_orders(self, rows: dict[str, bytes]) -> None:
        orders = {UUID(key): decode_order(row) for key, row in rows.items()}
        for order_id, order in orders.items():
            self._orders[order_id] = OrderRecord(order.version, order.counted)
        ended = [(order.ended_at, each) for each, order in orders.items() if order.ended_at]
        self._ended.update((order_id, ended_at) for ended_at, order_id in sorted(ended))

    def _restore_news(self, spent: dict[str, bytes], updates: dict[str, bytes]) -> None:
        for username, row in spent.items():
            news = self._news_of(username)
            news.spent = decode_spent(row)
            self._show_total(username, news.spent)
        for update in map(decode_update, updates.values()):
            if (news_of := self._known_news(update.user_id)) is not None:
                news_of.updates.append(update)

    def _rows(self) -> Iterator[Change]:
        yield from ((USERS, user.id, user) for user in list(self._users.values()))
        for username, news in [*self._strangers.items(), *self._news.items()]:
            yield SPENT, username, news.spent
            yield from ((UPDATES, update.event_id, update) for update in list(news.updates))
        for order_id in list(self._orders):
            if (row := self._order_row(order_id)) is not None:
                yield ORDERS, order_id, row
