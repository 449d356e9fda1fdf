"""The invariants I1 to I9, asked of the running shop and compared with a history."""

import asyncio
import re
import time
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import aiohttp

from tests.chaos.history import History
from tests.chaos.shop import JSON, Shop

SECONDS_TO_SETTLE = 30.0
MAY_FAIL_WITH = {502, 503, 504}
LIFECYCLE = {
    "CREATED": {"PROCESSING", "CANCELLED"},
    "PROCESSING": {"SHIPPING", "CANCELLED"},
    "SHIPPING": {"DELIVERED", "CANCELLED"},
    "DELIVERED": set(),
    "CANCELLED": set(),
}


class Oracle:
    """``problems`` is a sentence for everything that does not hold."""

    def __init__(self, shop: Shop, client: aiohttp.ClientSession, history: History) -> None:
        self._shop, self._client, self._history = shop, client, history
        self.problems: list[str] = []
        self.orders: list[JSON] = []
        self.settled_after = 0.0

    async def look(self) -> list[str]:
        self.settled_after = await self._settled()
        self.orders = [
            order
            for order in await self._all_orders()
            if any(item["product_id"] in self._history.stocked for item in order["items"])
        ]
        await self._books()
        self._acknowledged()
        self._totals()
        self._answers()
        await self._news()
        await self._carts()
        return self.problems

    def _say(self, invariant: str, problem: str) -> None:
        self.problems.append(f"{invariant}: {problem}")

    async def _settled(self) -> float:
        """I5, I7: seconds until nothing waits any more."""
        began_at = time.monotonic()
        while waiting := await self._waiting():
            if time.monotonic() - began_at > SECONDS_TO_SETTLE:
                self._say("I5/I7", f"after {SECONDS_TO_SETTLE} s there still wait {waiting}")
                break
            await asyncio.sleep(0.1)
        return time.monotonic() - began_at

    async def _waiting(self) -> dict[str, float]:
        found = {
            "messages": await self._metric("orders", "outbox_pending"),
            "checkouts": await self._metric("carts", "checkouts_running"),
            "holds": len(await self._reservations("held", limit=1)),
        }
        return {name: count for name, count in found.items() if count}

    async def _metric(self, service: str, name: str) -> float:
        try:
            return await asyncio.to_thread(self._shop.metric, service, name)
        except OSError:
            return -1.0

    async def _books(self) -> None:
        """I1: what is there, held and sold is what was put in, and what the orders say."""
        held = _units(await self._reservations("held"))
        sold = _units(await self._reservations("sold"))
        ordered = _units([each for each in self.orders if each["status"] != "CANCELLED"])
        for product, initial in self._history.stocked.items():
            available = await self._available(product)
            if available < 0 or initial != available + held[product] + sold[product]:
                books = f"{available} + {held[product]} held + {sold[product]} sold"
                self._say("I1", f"{product}: {initial} were put in; now {books}")
            if ordered[product] != sold[product] + held[product]:
                self._say("I1", f"{product}: {ordered[product]} ordered, {sold[product]} sold")

    async def _available(self, product: str) -> int:
        url = f"{self._shop.address('catalog')}/products/{product}"
        return int((await self._json(url, self._shop.admin()))["stock_count"])

    def _acknowledged(self) -> None:
        """I2: what was said to be an order is one; a key is one at most; nothing is twice."""
        ids = Counter(order["id"] for order in self.orders)
        made = Counter(order["user_id"] for order in self.orders)
        keys, possible = defaultdict(set), defaultdict(set)
        for each in (*self._history.of("checkout"), *self._history.of("place")):
            if each.is_ok:
                possible[each.user].add(each.body["id"])
                keys[each.user, each.key or each.body["id"]].add(each.body["id"])
                if ids[each.body["id"]] != 1:
                    self._say("I2", f"order {each.body['id']}, acknowledged, is there not once")
            elif each.is_unknown:
                possible[each.user].add(each.key or f"at {each.began_at}")
        doubled = [key for key, orders in keys.items() if len(orders) > 1]
        too_many = [user for user, count in made.items() if count > len(possible[user])]
        if doubled or too_many:
            self._say("I2", f"keys {doubled} became several orders; {too_many} have too many")

    def _totals(self) -> None:
        """I3, to the kopeck, with the server's price."""
        for order in self.orders:
            items = order["items"]
            total = sum((Decimal(str(i["price"])) * i["quantity"] for i in items), Decimal(0))
            if total != Decimal(str(order["total"])):
                self._say("I3", f"order {order['id']}: {order['total']} is not {total}")
            wrong = [i for i in items if self._history.prices[i["product_id"]] != i["price"]]
            if wrong:
                self._say("I3", f"order {order['id']} has other prices than the catalogue")

    def _answers(self) -> None:
        """I8: how the shop fails, and what it never says."""
        for each in self._history.operations:
            if each.status >= 500 and each.status not in MAY_FAIL_WITH:
                self._say("I8", f"{each.call} was answered {each.status} {each.body}")
            if each.status == 503 and each.retry_after is None:
                self._say("I8", f"{each.call}: 503 without Retry-After")
        log = self._shop.logs()
        if self._shop.key in log or re.search(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]{43}", log):
            self._say("I8", "a key or a token is in a log")
        if "Traceback" in log:
            start = log.index("Traceback")
            self._say("I8", f"a traceback is in a log: {log[start : start + 3000]}")

    async def _news(self) -> None:
        """I4, I5, I6: what accounts heard of each order, in order, once; and the sums of it."""
        orders = defaultdict(list)
        for order in self.orders:
            orders[order["user_id"]].append(order)
        gate = asyncio.Semaphore(16)

        async def one(user: str, headers: dict[str, str]) -> None:
            async with gate:
                base = f"{self._shop.address('accounts')}/users/me"
                news = await self._json(f"{base}/notifications", headers)
                spent = await self._json(f"{base}/total-spent", headers)
            self._compare(user, orders[user], news, Decimal(str(spent["total_spent"])))

        await asyncio.gather(*(one(*each) for each in self._history.registered.items()))

    def _compare(self, user: str, orders: list[JSON], news: list[JSON], spent: Decimal) -> None:
        counted = sum(
            (Decimal(str(each["total"])) for each in orders if each["status"] != "CANCELLED"),
            Decimal(0),
        )
        if counted != spent:
            self._say("I6", f"{user} spent {counted} by the orders, {spent} by accounts")
        paths = defaultdict(list)
        for item in reversed(news):
            paths[item["order_id"]].append(item["status"])
        is_whole = len(news) < 100
        for order in orders:
            path = paths[order["id"]]
            if is_whole and (path[:1] != ["CREATED"] or path[-1] != order["status"]):
                self._say("I5", f"order {order['id']} is {order['status']}; accounts heard {path}")
            if any(after not in LIFECYCLE[before] for before, after in pairwise(path)):
                self._say("I4", f"order {order['id']} went {path}")

    async def _carts(self) -> None:
        """I9: what was put into a cart is in it, or in an order."""
        put: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for each in self._history.of("add"):
            if each.line is not None and (each.is_ok or each.is_unknown):
                product, quantity = each.line
                put[each.user, product][each.is_unknown] += quantity
        bought = Counter[tuple[str, str]]()
        for order in self.orders:
            for item in order["items"]:
                bought[order["user_id"], item["product_id"]] += item["quantity"]
        in_carts = await self._in_carts()
        for (user, product), (sure, perhaps) in put.items():
            there = bought[user, product] + in_carts[user, product]
            if not sure <= there <= sure + perhaps:
                self._say("I9", f"{user} put {sure} (+{perhaps}) into the cart; {there} are there")

    async def _in_carts(self) -> Counter[tuple[str, str]]:
        found, cursor = Counter[tuple[str, str]](), ""
        while True:
            url = f"{self._shop.address('carts')}/carts/?limit=100"
            page = await self._json(url + cursor, self._shop.admin())
            for cart in page["items"]:
                for item in cart["items"]:
                    found[cart["user_id"], item["product_id"]] += item["quantity"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def _all_orders(self) -> list[JSON]:
        found, url = [], f"{self._shop.address('orders')}/orders/?limit=1000"
        while url:
            async with self._client.get(url, headers=self._shop.admin()) as answer:
                found += await answer.json()
                link = answer.links.get("next")
                url = str(link["url"]) if link else ""
        return found

    async def _reservations(self, state: str, *, limit: int = 1000) -> list[JSON]:
        found, cursor = [], ""
        base = f"{self._shop.address('catalog')}/reservations/?state={state}&limit={limit}"
        while True:
            page = await self._json(base + cursor, self._shop.service("orders", "catalog"))
            found += page["items"]
            if not page["next_cursor"] or limit == 1:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def _json(self, url: str, headers: dict[str, str]) -> Any:
        async with self._client.get(url, headers=headers) as answer:
            assert answer.status == 200, f"{url}: {answer.status} {await answer.text()}"
            return await answer.json()


def _units(lists: list[JSON]) -> Counter[str]:
    units = Counter[str]()
    for each in lists:
        for item in each["items"]:
            units[item["product_id"]] += item["quantity"]
    return units


async def assert_all_holds(shop: Shop, client: aiohttp.ClientSession, history: History) -> Oracle:
    """The oracle, when it found nothing wrong."""
    oracle = Oracle(shop, client, history)
    problems = await oracle.look()
    assert problems == [], "\n".join(problems[:20])
    return oracle
