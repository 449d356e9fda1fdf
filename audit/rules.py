"""What has to be true of products, orders, users and carts; each breach is a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

COUNTS = ("available", "reserved", "sold", "withdrawn")
VERSIONS = {
    "CREATED": {1},
    "PROCESSING": {2},
    "SHIPPING": {3},
    "DELIVERED": {4},
    "CANCELLED": {2, 3, 4},
}
OPEN = {"CREATED", "PROCESSING", "SHIPPING"}
# A hold may last a minute; orders looks for forgotten ones every 15 s.
HOLD_SECONDS = 60 + 15 + 5


def books(line: Row) -> Iterator[str]:
    """Of one product: nothing appears, nothing vanishes."""
    product = line["product_id"]
    put_in = line["initial"] + line["adjustments"]
    placed = " + ".join(f"{line[name]} {name}" for name in COUNTS)
    if put_in != sum(line[name] for name in COUNTS):
        yield f"Product {product}: {put_in} were put in, and {placed} is not that many."
    for name in COUNTS:
        if line[name] < 0:
            yield f"Product {product}: {line[name]} {name} is below zero."


def reserved(product: str, *, books: int, listed: int) -> Iterator[str]:
    if books != listed:
        yield f"Product {product}: {books} reserved by its books, {listed} by its reservations."


def sold(product: str, *, books: int, listed: int) -> Iterator[str]:
    """The catalog forgets what was sold long ago, so the books may have more."""
    if books < listed:
        yield f"Product {product}: {books} sold by its books, {listed} by its reservations."


def sale(reservation: Row, entry: Row | None, remembers_since: datetime) -> Iterator[str]:
    """Sold stock belongs to an order that was not cancelled and lists the same."""
    order_id = reservation["order_id"]
    if entry is None:
        # An order ends after its stock was taken; what ended long ago is forgotten.
        if datetime.fromisoformat(reservation["created_at"]) > remembers_since:
            yield f"Order {order_id}: catalog has sold its stock, and orders does not know it."
    elif entry["order"] is None:
        yield f"Order {order_id}: catalog has sold its stock, and orders has it {entry['state']}."
    elif entry["order"]["status"] == "CANCELLED" and "catalog" not in entry["undelivered"]:
        yield f"Order {order_id} is CANCELLED, and catalog has not taken its stock back."
    elif quantities(reservation) != quantities(entry["order"]):
        yield f"Order {order_id}: the order and its reservation list different quantities."


def overdue(reservation: Row, entry: Row | None) -> Iterator[str]:
    """Asked of reservations that were held for longer than HOLD_SECONDS."""
    yield (
        f"Order {reservation['order_id']}: catalog has held its stock for more than"
        f" {HOLD_SECONDS} s; orders {_known(entry)}."
    )


def order(entry: Row, *, has_stock: bool) -> Iterator[str]:
    """An order that orders lists."""
    found, version = entry["order"], entry["version"]
    order_id, status = found["id"], found["status"]
    if status in OPEN and not has_stock:
        yield f"Order {order_id} is {status}, and catalog neither holds nor has sold its stock."
    lines = sum((item["price"] * item["quantity"] for item in found["items"]), Decimal())
    if lines != found["total"]:
        yield (
            f"Order {order_id}: its total is {_money(found['total'])},"
            f" its lines come to {_money(lines)}."
        )
    if version not in VERSIONS[status]:
        yield f"Order {order_id} is {status} at version {version}: a step too many or too few."
    if datetime.fromisoformat(found["updated_at"]) < datetime.fromisoformat(found["created_at"]):
        yield f"Order {order_id} was changed before it was made."


def news(entry: Row, record: Row | None) -> Iterator[str]:
    """Accounts has heard of the newest step, and counts the order as that says."""
    order_id, version = entry["id"], entry["version"]
    heard = record["version"] if record else 0
    if "accounts" in entry["undelivered"]:
        yield f"Order {order_id}: news for accounts wait; it heard of version {heard}."
    elif heard != version:
        yield f"Order {order_id} is at version {version}, and accounts heard of {heard}."
    elif record and record["counted"] != counted(entry["order"]):
        yield (
            f"Order {order_id}: accounts counts {_money(record['counted'])} of it,"
            f" and it comes to {_money(counted(entry['order']))}."
        )


def total(user: Row, orders: Decimal, *, all_are_known: bool) -> Iterator[str]:
    """The orders of somebody who came before the oldest that is remembered are a part of it."""
    spent = Decimal(user["total_spent"])
    if spent != orders if all_are_known else spent < orders:
        least = "" if all_are_known else "at least "
        yield (
            f"User {user['username']}: total_spent is {_money(spent)},"
            f" the orders come to {least}{_money(orders)}."
        )


def checkout(intent: Row, entry: Row | None) -> Iterator[str]:
    """Asked of checkouts that should have ended: orders begins nothing after ``valid_until``."""
    yield (
        f"User {intent['user_id']}: the checkout of order {intent['order_id']} was to end at"
        f" {intent['valid_until']} and is still open; orders {_known(entry)}."
    )


def cart(found: Row) -> Iterator[str]:
    lines = sum((item["price"] * item["quantity"] for item in found["items"]), Decimal())
    if lines != found["total"]:
        yield (
            f"User {found['user_id']}: the cart's total is {_money(found['total'])},"
            f" its lines come to {_money(lines)}."
        )


def quantities(items_of: Row) -> dict[str, int]:
    """How many of each product an order or a reservation lists."""
    items: Sequence[Row] = items_of["items"]
    return {item["product_id"]: item["quantity"] for item in items}


def counted(found: Row) -> Decimal:
    """What of an order is in its user's total."""
    return Decimal() if found["status"] == "CANCELLED" else Decimal(found["total"])


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _known(entry: Row | None) -> str:
    if entry is None:
        return "does not know it"
    if entry["order"] is None:
        return f"has it {entry['state']}"
    return f"has it {entry['order']['status']}"
