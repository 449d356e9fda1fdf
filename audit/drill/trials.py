"""What the drill does to a shop, and what must have come of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx

from audit.drill.customers import Company, Customer, NoAnswer

BUYERS = 200
CLICKS = 50
LOYAL = 20
PLENTY = 100_000
SECONDS_BETWEEN_ORDERS = 0.5
VICTIMS = ("orders", "carts", "catalog", "accounts")
SECONDS_BETWEEN_KILLS = 0.5
LOOKS = 50
GOOD = 200
CONFLICT = 409

Kill = Callable[[str], Awaitable[None]]
"""Ends a service without warning, and waits until it is there again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the verdict."""

    done: str
    found: str
    is_passed: bool
    seconds: float


async def timed(done: str, trial: Coroutine[Any, Any, tuple[str, bool]]) -> Outcome:
    """What a trial found and whether that is right; a shop that does not answer fails it."""
    began_at = time.monotonic()
    try:
        found, is_passed = await trial
    except NoAnswer as problem:
        found, is_passed = str(problem), False
    return Outcome(done, found, is_passed, time.monotonic() - began_at)


async def last_unit(company: Company) -> tuple[str, bool]:
    """Everybody has it in the cart, one gets it."""
    product = await company.new_product(stock=1)
    buyers = company.hire(BUYERS)
    await asyncio.gather(*[buyer.put_in(product) for buyer in buyers])
    answers = await asyncio.gather(*[buyer.check_out(key="mine") for buyer in buyers])
    said = Counter(answer.status_code for answer in answers)
    left = await company.left(product)
    found = f"{said[GOOD]} got it, {said[CONFLICT]} were told it is sold out, {left} left"
    return found, (said[GOOD], said[CONFLICT], left) == (1, BUYERS - 1, 0)


async def many_clicks(company: Company, key: str | None) -> tuple[str, bool]:
    """One cart is one order, however often it is checked out."""
    stock = 10
    product = await company.new_product(stock=stock)
    (buyer,) = company.hire(1)
    await buyer.put_in(product)
    answers = await asyncio.gather(*[buyer.check_out(key=key) for _ in range(CLICKS)])
    orders = await buyer.orders()
    shown = {answer.json()["id"] for answer in answers if answer.status_code == GOOD}
    sold = stock - await company.left(product)
    told = sum(answer.status_code == GOOD for answer in answers)
    found = f"{len(orders)} order, told to {told} of {CLICKS}, {sold} sold"
    # Who comes when all is done finds an empty cart (400), or the key in use (409).
    others = {answer.status_code for answer in answers} - {GOOD, 400, CONFLICT}
    is_one = [order["id"] for order in orders] == list(shown)
    return found, is_one and sold == 1 and not others


async def kills(company: Company, kill: Kill) -> tuple[str, bool]:
    """Who asks again under his key gets what he ordered, once."""
    product = await company.new_product(stock=PLENTY)
    buyers, stop = company.hire(LOYAL), asyncio.Event()
    buying = asyncio.gather(*[_keep_buying(buyer, product, stop) for buyer in buyers])
    for victim in VICTIMS:
        await asyncio.sleep(SECONDS_BETWEEN_KILLS)
        await kill(victim)
    stop.set()
    promised = [order_id for promises in await buying for order_id in promises]
    listed = [order for buyer in buyers for order in await buyer.orders()]
    units = sum(item["quantity"] for order in listed for item in order["items"])
    sold = PLENTY - await company.left(product)
    lost = len(set(promised) - {order["id"] for order in listed})
    more = len(listed) + lost - len(promised)
    found = f"{len(promised)} orders promised, {lost} lost, {more} too many, {sold} units sold"
    return found, (lost, more, units) == (0, 0, sold) and len(promised) == sold


async def _keep_buying(buyer: Customer, product: str, stop: asyncio.Event) -> list[str]:
    """The ids of the orders that were promised."""
    promised: list[str] = []
    while not stop.is_set():
        await buyer.put_in(product)
        answer = await buyer.check_out(key=f"round-{len(promised)}")
        if answer.status_code != GOOD:
            raise NoAnswer(f"A checkout: {answer.status_code} {answer.text}")
        promised.append(answer.json()["id"])
        await asyncio.sleep(SECONDS_BETWEEN_ORDERS)
    return promised


async def clean_up(company: Company) -> tuple[str, bool]:
    """Orders are cancelled, which gives every unit back; then nothing of ours is for sale."""
    batches = await asyncio.gather(*[_give_back(company, each) for each in company.customers])
    cancelled = [answer.status_code for batch in batches for answer in batch]
    missing = await _missing(company)
    for product in company.products:
        await company.admin.ask("DELETE", "catalog", f"/products/{product}")
    found = f"{cancelled.count(GOOD)} orders cancelled, {missing} units missing"
    return found, set(cancelled) <= {GOOD} and missing == 0


async def _give_back(company: Company, customer: Customer) -> list[httpx.Response]:
    await customer.ask("DELETE", "carts", "/cart/")
    headers = company.admin.headers  # who may also cancel what is being shipped
    return [
        await company.door.send("PUT", "orders", f"/orders/{order['id']}/cancel", headers=headers)
        for order in await customer.orders()
    ]


async def _missing(company: Company) -> int:
    """How many units have not come back; they do within a second of their cancel."""
    for _ in range(LOOKS):
        if (missing := await _short(company)) == 0:
            break
        await asyncio.sleep(0.1)
    return missing


async def _short(company: Company) -> int:
    stocks = [stock - await company.left(product) for product, stock in company.products.items()]
    return sum(map(abs, stocks))
