"""What has to be true of a shop in which everything has come to rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from orders.domain import Destination
from orders.repositories import OrderRepository
from tests.contract import callers
from tests.simulation.buyers import Buyer
from tests.simulation.network import Network

STATES = ("held", "sold", "returned", "released")
PATH = ("CREATED", "PROCESSING", "SHIPPING", "DELIVERED")
JSON = dict[str, Any]


class Oracle:
    """Everything that the shop shows, read once. ``problems`` says what is wrong with it."""

    def __init__(self, client: httpx.AsyncClient, stock: Mapping[str, int]) -> None:
        self._client = client
        self._initial = stock
        self.problems: list[str] = []

    async def look(self) -> None:
        self.orders: list[JSON] = await self._get("/order-api/orders/?limit=1000")
        self._by_id = {order["id"]: order for order in self.orders}
        carts = await self._get("/cart-api/carts/?limit=100")
        self._carts = {cart["user_id"]: cart["items"] for cart in carts["items"]}
        self._left = {
            each: (await self._get(f"/api/products/{each}"))["stock_count"]
            for each in self._initial
        }
        self._taken: dict[str, list[JSON]] = {}
        headers = callers.service("orders", "catalog")
        for state in STATES:
            url = f"/api/reservations/?state={state}&limit=1000"
            self._taken[state] = (await self._get(url, headers))["items"]

    async def judge(
        self, buyers: Sequence[Buyer], network: Network, outbox: OrderRepository
    ) -> None:
        self._judge_stock()
        self._judge_totals()
        for buyer in buyers:
            self._judge_purchases(buyer)
            await self._judge_spent(buyer, network)
        self._judge_histories(network)
        for destination in Destination:
            self._expect(f"I5 messages for {destination}", outbox.undelivered(destination), 0)
        self.problems += [f"I8 {breach}" for breach in network.breaches]

    def _judge_stock(self) -> None:
        gone = _pieces(self._taken["held"]) + _pieces(self._taken["sold"])
        ordered = _pieces(order for order in self.orders if order["status"] != "CANCELLED")
        for product, initial in self._initial.items():
            left = self._left[product]
            self._expect(f"I1 {product}", left + gone[product], initial)
            self._expect(f"I1 {product} ordered", ordered[product], gone[product])
            if left < 0:
                self.problems.append(f"I1 {product} is below zero: {left}")
        self._expect("I7 held", [each["order_id"] for each in self._taken["held"]], [])

    def _judge_totals(self) -> None:
        for order in self.orders:
            total = sum(round(line["price"] * 100) * line["quantity"] for line in order["items"])
            self._expect(f"I3 {order['id']}", round(order["total"] * 100), total)

    def _judge_purchases(self, buyer: Buyer) -> None:
        for order_id in buyer.orders:
            if order_id not in self._by_id:
                self.problems.append(f"I2 {order_id} was acknowledged and is gone")
        for key, orders in buyer.by_key.items():
            if len(orders) > 1:
                self.problems.append(f"I2 {buyer.name}'s {key} made {orders}")
        mine = [order for order in self.orders if order["user_id"] == buyer.name]
        have = _pieces([*mine, {"items": self._carts.get(buyer.name, [])}])
        for product in self._initial:
            least = buyer.put_in[product]
            if not least <= have[product] <= least + buyer.perhaps[product]:
                self.problems.append(
                    f"I9 {buyer.name} put {least} (perhaps {buyer.perhaps[product]} more) of"
                    f" {product} in, and {have[product]} are in the cart and the orders"
                )

    async def _judge_spent(self, buyer: Buyer, network: Network) -> None:
        said = await self._get("/user-api/users/me/total-spent", buyer.headers)
        spent = sum(
            round(order["total"] * 100)
            for order in self.orders
            if order["user_id"] == buyer.name and order["status"] != "CANCELLED"
        )
        self._expect(f"I6 {buyer.name}", round(said["total_spent"] * 100), spent)
        await self._judge_news(buyer, network)

    async def _judge_news(self, buyer: Buyer, network: Network) -> None:
        """Each change once and in order, the newest first."""
        told: dict[str, list[str]] = {}
        for each in await self._get("/user-api/users/me/notifications", buyer.headers):
            told.setdefault(each["order_id"], []).insert(0, each["status"])
        for order in self.orders:
            if order["user_id"] == buyer.name:
                sent = network.news.get(order["id"], {})
                history = [sent[version] for version in sorted(sent)]
                self._expect(f"I5 {order['id']}", told.get(order["id"], []), history)

    def _judge_histories(self, network: Network) -> None:
        for order_id, order in self._by_id.items():
            told = network.news.get(order_id, {})
            history = [told[version] for version in sorted(told)]
            self._expect(f"I4 {order_id}", sorted(told), list(range(1, len(told) + 1)))
            self._expect(f"I5 {order_id} last", history[-1:], [order["status"]])
            steps = history[:-1] if history[-1:] == ["CANCELLED"] else history
            self._expect(f"I4 {order_id} path", steps, list(PATH[: len(steps)]))
        strangers = network.news.keys() - self._by_id.keys()
        self._expect("I5 news of no order", sorted(strangers), [])

    def _expect(self, name: str, found: object, expected: object) -> None:
        if found != expected:
            self.problems.append(f"{name}: {found}, and not {expected}")

    async def _get(self, url: str, headers: callers.Headers | None = None) -> Any:
        answer = await self._client.get(url, headers=headers or callers.admin())
        assert answer.status_code == 200, f"{url}: {answer.text}"
        return answer.json()


def _pieces(holders: Any) -> Counter[str]:
    """By product."""
    pieces: Counter[str] = Counter()
    for holder in holders:
        for line in holder["items"]:
            pieces[line["product_id"]] += line["quantity"]
    return pieces
