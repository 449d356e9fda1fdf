"""One look at the whole shop, and a second one at what seemed wrong in the first."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from audit import rules
from audit.differences import Check, Findings
from audit.scratch import Scratch
from audit.shop import Entries, Shop

Row = Mapping[str, Any]

CHECKOUT_SLACK = timedelta(seconds=15)


async def audit(shop: Shop, *, again_after: float) -> Findings:
    """What differs, and still does ``again_after`` seconds later. Raises CannotAsk."""
    first = await _looked(shop)
    if not first.differences:
        return first
    await asyncio.sleep(again_after)
    return first.still_there(await _looked(shop))


async def _looked(shop: Shop) -> Findings:
    with closing(Scratch()) as scratch:
        look = _Look(shop, scratch, now=lambda: datetime.now(UTC))
        await look.run()
        return look.findings


class _Look:
    """Whatever moves while it is read may look like a difference: it is gone in the next look.

    So each page of orders is compared with the other services at once, and products are judged
    only when their books were the same before and after their reservations were read.
    """

    def __init__(self, shop: Shop, scratch: Scratch, *, now: Callable[[], datetime]) -> None:
        self.findings = Findings()
        self._shop = shop
        self._scratch = scratch
        self._now = now
        self._since = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        await self._read_books(is_first=True)
        for state in ("sold", "held"):
            await self._read_reservations(state)
        await self._read_books(is_first=False)
        self._judge_stock()
        await self._judge_holds()
        async for page in self._shop.all_orders():
            await self._judge_orders(page)
        await self._judge_totals()
        await self._judge_checkouts()
        async for found in self._shop.all_carts():
            for cart in found["items"]:
                self.findings.note(Check.CARTS, rules.cart(cart), cart["user_id"])

    async def _read_books(self, *, is_first: bool) -> None:
        async for page in self._shop.books():
            self._scratch.add_books(page["items"])
            if is_first:
                # A sold order is known through its reservation, as long as that is kept.
                self._remembers(self._now() - timedelta(seconds=page["sold_kept_seconds"]))
                for line in page["items"]:
                    self.findings.note(Check.STOCK, rules.books(line), line["product_id"])

    async def _read_reservations(self, state: str) -> None:
        async for page in self._shop.reservations(state):
            for each in page["items"]:
                quantities = rules.quantities(each)
                self._scratch.add_reservation(state, each["order_id"], quantities)
            if state == "sold":
                await self._judge_sales(page["items"])

    async def _judge_sales(self, sales: Sequence[Row]) -> None:
        entries = await self._entries(sale["order_id"] for sale in sales)
        for sale in sales:
            entry = entries.by_id.get(sale["order_id"])
            problems = rules.sale(sale, entry, entries.remembers_since)
            self.findings.note(Check.RESERVATIONS, problems, sale["order_id"])
        # Orders that ended are in no list any more: through their stock they are found here.
        ended = [entry for entry in entries.by_id.values() if entry["state"] == "ended"]
        await self._judge_news(ended)

    async def _judge_news(self, entries: Sequence[Row]) -> None:
        records = await self._shop.records(entry["id"] for entry in entries)
        for entry in entries:
            order_id, order = entry["id"], entry["order"]
            self._scratch.add_order(order_id, order["user_id"], rules.counted(order))
            problems = rules.news(entry, records.get(order_id))
            self.findings.note(Check.NEWS, problems, order_id, order["user_id"])

    def _judge_stock(self) -> None:
        for product, reserved, sold, held_listed, sold_listed in self._scratch.stock():
            problems = [
                *rules.reserved(product, books=reserved, listed=held_listed),
                *rules.sold(product, books=sold, listed=sold_listed),
            ]
            self.findings.note(Check.STOCK, problems, product, count=0)
        for product in self._scratch.without_books():
            problem = f"Product {product} has reservations and no books."
            self.findings.note(Check.STOCK, [problem], product, count=0)
        self.findings.moving = self._scratch.moving()

    async def _judge_holds(self) -> None:
        async for page in self._shop.reservations("held", older_than=rules.HOLD_SECONDS):
            entries = await self._entries(hold["order_id"] for hold in page["items"])
            for hold in page["items"]:
                problems = rules.overdue(hold, entries.by_id.get(hold["order_id"]))
                self.findings.note(Check.HOLDS, problems, hold["order_id"])

    async def _judge_orders(self, orders: Sequence[Row]) -> None:
        found = (await self._entries(order["id"] for order in orders)).by_id.values()
        entries = [entry for entry in found if entry["order"]]
        for entry in entries:
            order_id, user = entry["id"], entry["order"]["user_id"]
            problems = rules.order(entry, has_stock=self._scratch.has_reservation(order_id))
            self.findings.note(Check.ORDERS, problems, order_id, user)
        await self._judge_news(entries)

    async def _judge_totals(self) -> None:
        async for page in self._shop.users():
            for user in page["items"]:
                spent = self._scratch.spent_by(user["username"])
                is_new = datetime.fromisoformat(user["created_at"]) > self._since
                problems = rules.total(user, spent, all_are_known=is_new)
                self.findings.note(Check.TOTALS, problems, user["username"])

    async def _judge_checkouts(self) -> None:
        async for page in self._shop.checkouts():
            overdue = [intent for intent in page["items"] if self._is_overdue(intent)]
            entries = await self._entries(intent["order_id"] for intent in overdue)
            self.findings.note(Check.CARTS, [], count=len(page["items"]) - len(overdue))
            for intent in overdue:
                problems = rules.checkout(intent, entries.by_id.get(intent["order_id"]))
                self.findings.note(Check.CARTS, problems, intent["order_id"], intent["user_id"])

    def _is_overdue(self, intent: Row) -> bool:
        ends_at = datetime.fromisoformat(intent["valid_until"])
        return self._now() > ends_at + CHECKOUT_SLACK

    async def _entries(self, order_ids: Any) -> Entries:
        entries = await self._shop.entries(order_ids)
        self._remembers(entries.remembers_since)
        return entries

    def _remembers(self, since: datetime) -> None:
        """What ended before is known no more; the latest that any service says."""
        self._since = max(self._since, since)
