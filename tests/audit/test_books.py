"""Books that balance, and every way in which they may not: each is done for real and named."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from audit.differences import Check, Findings
from catalog.domain import State, StockLine
from orders.domain import Order, Status
from tests.audit.conftest import Audited, app
from tests.contract import callers
from tests.contract.world import World

ALICE = callers.user("alice")


async def bought(world: World, *, quantity: int = 1, stock: int = 10) -> dict[str, Any]:
    """An order from a checkout, everybody told of it."""
    product = await world.product(stock=stock)
    await world.add(product, quantity, to="alice")
    order: dict[str, Any] = await world.ok("POST", "/cart-api/cart/checkout", headers=ALICE)
    await world.settle()
    return order


def said(findings: Findings, check: Check) -> list[str]:
    return sorted(found.text for found in findings.differences if found.check is check)


async def books_of(product: str) -> StockLine:
    books = await app("catalog").repository.stock(UUID(product))
    assert isinstance(books, StockLine)
    return books


def stored_order(order: dict[str, Any]) -> Order:
    known = app("orders").repository._known[UUID(order["id"]).int]
    assert isinstance(known, Order)
    return known


async def test_the_books_of_a_busy_shop_balance(world: World, audited: Audited) -> None:
    kept, cancelled, deleted = [await bought(world, quantity=2) for _ in range(3)]
    await world.ok("PUT", f"/order-api/orders/{cancelled['id']}/cancel", headers=ALICE)
    product = deleted["items"][0]["product_id"]
    await world.ok("DELETE", f"/api/products/{product}", headers=callers.admin())
    await world.ok(
        "PUT",
        f"/api/products/{kept['items'][0]['product_id']}",
        json={"stock_count": 3},
        headers=callers.admin(),
    )
    await world.add(await world.product(), 3, to="alice")
    await world.reservation(await world.product(), of="alice")

    findings = await audited()

    assert findings.differences == set()
    assert findings.looked_at == {
        Check.STOCK: 4,  # two products never moved
        Check.RESERVATIONS: 2,
        Check.ORDERS: 3,
        Check.NEWS: 3,
        Check.TOTALS: 1,
        Check.CARTS: 1,
    }


async def test_ended_orders_stay_in_their_buyers_total(
    world: World, audited: Audited, settings: Any
) -> None:
    order = await bought(world)
    for status in ("PROCESSING", "SHIPPING", "DELIVERED"):
        url = f"/order-api/orders/{order['id']}/status"
        await world.ok("PUT", url, json={"status": status}, headers=callers.admin())
    await world.settle()
    ended = stored_order(order)
    service = app("orders").service
    await service._ledger.delete(ended, at=datetime.now(UTC))

    findings = await audited()

    assert await world.get("/order-api/orders/", ALICE) == []
    assert findings.differences == set()
    assert (findings.looked_at[Check.ORDERS], findings.looked_at[Check.NEWS]) == (0, 1)


async def test_books_that_do_not_add_up_are_named(world: World, audited: Audited) -> None:
    product = await world.product(stock=5)
    books = await books_of(product)
    app("catalog").repository._books[UUID(product)] = replace(books, available=4)

    findings = await audited()

    (text,) = said(findings, Check.STOCK)
    assert text.startswith(f"Product {product}: 5 were put in, and 4 available + 0 reserved")


async def test_stock_that_is_reserved_for_nobody_is_named(world: World, audited: Audited) -> None:
    product = await world.product(stock=5)
    books = await books_of(product)
    app("catalog").repository._books[UUID(product)] = books.held(2)

    assert said(await audited(), Check.STOCK) == [
        f"Product {product}: 2 reserved by its books, 0 by its reservations."
    ]


async def test_more_sold_than_the_books_say_is_named(world: World, audited: Audited) -> None:
    order = await bought(world, quantity=2)
    product = order["items"][0]["product_id"]
    books = await books_of(product)
    app("catalog").repository._books[UUID(product)] = replace(books, sold=1, available=9)

    assert said(await audited(), Check.STOCK) == [
        f"Product {product}: 1 sold by its books, 2 by its reservations."
    ]


async def test_stock_sold_to_no_order_is_named(world: World, audited: Audited) -> None:
    order_id = await world.reservation(await world.product(), of="alice")
    await world.ok(
        "POST", f"/api/reservations/{order_id}/sold", headers=callers.service("orders", "catalog")
    )

    findings = await audited()

    assert said(findings, Check.RESERVATIONS) == [
        f"Order {order_id}: catalog has sold its stock, and orders does not know it."
    ]


async def test_stock_sold_so_long_ago_that_its_order_is_forgotten_is_no_difference(
    world: World, audited: Audited
) -> None:
    order_id = await world.reservation(await world.product(), of="alice")
    await world.ok(
        "POST", f"/api/reservations/{order_id}/sold", headers=callers.service("orders", "catalog")
    )
    register = app("catalog").repository._register
    sold = register.get(UUID(order_id))
    register.put(replace(sold, created_at=datetime.now(UTC) - timedelta(hours=25)))

    assert said(await audited(), Check.RESERVATIONS) == []


async def test_a_cancelled_order_whose_stock_did_not_come_back_is_named(
    world: World, audited: Audited
) -> None:
    order = await bought(world)
    cancelled = replace(stored_order(order), status=Status.CANCELLED, version=2)
    await app("orders").repository.commit(cancelled, expected_version=1, messages=[])

    assert said(await audited(), Check.RESERVATIONS) == [
        f"Order {order['id']} is CANCELLED, and catalog has not taken its stock back."
    ]


async def test_an_order_and_its_stock_that_list_different_things_are_named(
    world: World, audited: Audited
) -> None:
    order = await bought(world)
    register = app("catalog").repository._register
    sold = register.get(UUID(order["id"]))
    register.put(replace(sold, lines=(replace(sold.lines[0], quantity=2),)))

    assert said(await audited(), Check.RESERVATIONS) == [
        f"Order {order['id']}: the order and its reservation list different quantities."
    ]


async def test_an_order_without_stock_is_named(world: World, audited: Audited) -> None:
    order = await bought(world)
    await world.ok(
        "POST",
        f"/api/reservations/{order['id']}/return",
        headers=callers.service("orders", "catalog"),
    )

    assert said(await audited(), Check.ORDERS) == [
        f"Order {order['id']} is CREATED, and catalog neither holds nor has sold its stock."
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"total": Decimal(99)}, "its total is 99.00, its lines come to 10.50."),
        ({"version": 1}, "is PROCESSING at version 1: a step too many or too few."),
    ],
)
async def test_an_order_that_cannot_be_is_named(
    world: World, audited: Audited, change: dict[str, Any], sentence: str
) -> None:
    order = await bought(world)
    odd = replace(stored_order(order), status=Status.PROCESSING, version=2)
    await app("orders").repository.commit(odd, expected_version=1, messages=[])
    app("orders").repository._known[odd.id.int] = replace(odd, **change)

    (text,) = said(await audited(), Check.ORDERS)

    assert text.removeprefix(f"Order {order['id']}").lstrip(": ") == sentence


async def test_a_step_of_which_accounts_never_heard_is_named(
    world: World, audited: Audited
) -> None:
    order = await bought(world)
    silent = replace(stored_order(order), status=Status.PROCESSING, version=2)
    await app("orders").repository.commit(silent, expected_version=1, messages=[])

    assert said(await audited(), Check.NEWS) == [
        f"Order {order['id']} is at version 2, and accounts heard of 1."
    ]


async def test_a_total_that_is_not_that_of_the_orders_is_named(
    world: World, audited: Audited
) -> None:
    await bought(world, quantity=2)
    users = app("accounts").people._repository._users
    users["alice"] = replace(users["alice"], total_spent=Decimal("20.99"))

    assert said(await audited(), Check.TOTALS) == [
        "User alice: total_spent is 20.99, the orders come to 21.00."
    ]


@pytest.mark.parametrize(("spent", "differs"), [("1000", False), ("20.99", True)])
async def test_an_old_customers_total_may_have_orders_that_are_forgotten(
    world: World, audited: Audited, spent: str, differs: bool
) -> None:
    await bought(world, quantity=2)
    users = app("accounts").people._repository._users
    long_ago = datetime.now(UTC) - timedelta(days=30)
    users["alice"] = replace(users["alice"], total_spent=Decimal(spent), created_at=long_ago)

    assert bool(said(await audited(), Check.TOTALS)) is differs


async def test_stock_held_for_minutes_is_named(world: World, audited: Audited) -> None:
    order_id = UUID(await world.reservation(await world.product(), of="alice"))
    register = app("catalog").repository._register
    fresh = register.get(order_id)
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    register._by_state[State.HELD].clear()
    del register._by_order[order_id]
    register.put(replace(fresh, created_at=long_ago, updated_at=long_ago))

    assert said(await audited(), Check.HOLDS) == [
        f"Order {order_id}: catalog has held its stock for more than 80 s; orders does not know it."
    ]


async def test_a_hold_that_is_just_being_made_an_order_is_no_difference(
    world: World, audited: Audited
) -> None:
    await world.reservation(await world.product(), of="alice")

    assert (await audited()).differences == set()


async def test_a_checkout_that_never_ended_is_named(world: World, audited: Audited) -> None:
    await world.add(await world.product(), to="alice")
    order_id, long_ago = uuid4(), datetime.now(UTC) - timedelta(minutes=5)
    await app("carts").repository.change(
        "alice", lambda cart: cart.begin_checkout(order_id, now=long_ago)
    )

    (text,) = said(await audited(), Check.CARTS)

    assert text.startswith(f"User alice: the checkout of order {order_id} was to end at ")
    assert text.endswith("and is still open; orders does not know it.")


async def test_what_is_put_right_between_two_looks_is_no_difference(
    world: World, audited: Audited
) -> None:
    order = await bought(world)
    whole = stored_order(order)
    silent = replace(whole, status=Status.PROCESSING, version=2)
    await app("orders").repository.commit(silent, expected_version=1, messages=[])
    news = {
        "order_id": order["id"],
        "user_id": "alice",
        "status": "PROCESSING",
        "updated_at": order["updated_at"],
        "total": order["total"],
        "version": 2,
    }
    headers = callers.service("orders", "accounts")
    looking = asyncio.ensure_future(audited_slowly(world))
    await asyncio.sleep(0.2)
    await world.ok("POST", "/user-api/users/notify/order-status", json=news, headers=headers)

    assert (await looking).differences == set()


async def audited_slowly(world: World) -> Findings:
    from audit.look import audit
    from audit.shop import Shop
    from store import http

    names = ("catalog", "carts", "orders", "accounts")
    shop = Shop.of({name: http.peer(name, caller=name) for name in names})
    return await audit(shop, again_after=0.5)
