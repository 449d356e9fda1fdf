"""Services that are killed under load, and a shop that is closed and opened again."""

import asyncio
from collections.abc import Awaitable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES

pytestmark = pytest.mark.processes

STOCK = 100_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A shop of its own: these tests break it."""
    with shop_on_trial(tmp_path_factory.mktemp("killed"), **FAST_HASHES) as shop:
        yield shop
        assert shop.close() == 0


async def keep_buying(buyer: Buyer, product: str, seen: set[str], stop: asyncio.Event) -> None:
    """The same key until the shop says yes: as a patient program would."""
    for number in count():
        if stop.is_set():
            return
        if await has_put_one_in(buyer, product, stop):
            while not stop.is_set():
                answer = await accepted(buyer.check_out(key=f"{buyer.name}-{number}"))
                if answer is not None:
                    seen.add(answer.json()["id"])
                    break
                await asyncio.sleep(0.1)


async def accepted(asking: Awaitable[httpx.Response]) -> httpx.Response | None:
    """None for anything but a yes: a killed process breaks its answers off, too."""
    try:
        answer = await asking
    except httpx.TransportError:
        return None
    return answer if answer.status_code == 200 else None


async def has_put_one_in(buyer: Buyer, product: str, stop: asyncio.Event) -> bool:
    while not stop.is_set():
        if await accepted(buyer.add(product)) is not None:
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.parametrize("victim", ["carts", "orders", "catalog", "accounts"])
async def test_what_was_acknowledged_is_there_after_kills_under_load(
    running: Trial, gateway: httpx.AsyncClient, admin: Buyer, victim: str
):
    product = await admin.new_product(stock=STOCK)
    acknowledged, stop = set[str](), asyncio.Event()
    buyers = [await Buyer.registered(gateway) for _ in range(8)]
    load = [
        asyncio.create_task(keep_buying(buyer, product, acknowledged, stop)) for buyer in buyers
    ]
    for _ in range(2):
        await asyncio.sleep(1)
        killed = running.kill(victim)
        await asyncio.to_thread(
            running.wait_until,
            lambda dead=killed: running.pid(victim) not in (0, dead) and running.is_ready(victim),
        )
    await asyncio.sleep(1)
    stop.set()
    await asyncio.gather(*load)

    orders = [order for buyer in buyers for order in await buyer.orders()]
    ids = [order["id"] for order in orders]

    assert acknowledged
    assert acknowledged <= set(ids)
    assert len(ids) == len(set(ids))
    await settled(admin, product, sold=sum(order["items"][0]["quantity"] for order in orders))


async def settled(admin: Buyer, product: str, *, sold: int) -> None:
    """A checkout that nobody waited for may still end; then the books are exact."""
    async with asyncio.timeout(20):
        while await admin.stock(product) != STOCK - sold:
            await asyncio.sleep(0.2)


async def test_a_shop_that_is_opened_again_goes_on_and_a_fresh_one_does_not(tmp_path: Path):
    with shop_on_trial(tmp_path, **FAST_HASHES) as shop:
        async with httpx.AsyncClient(base_url=shop.url, timeout=15) as client:
            buyer = await Buyer.registered(client)
            admin = await Buyer.logged_in(client, "swagger_admin", "admin123")
            categories = (await client.get("/api/products/categories/list")).json()
            product = await admin.new_product(stock=5)
            await buyer.add(product)
            order = (await buyer.check_out()).json()
            await buyer.add(product, 2)
        assert shop.close() == 0

    with shop_on_trial(tmp_path, **FAST_HASHES) as shop:
        async with httpx.AsyncClient(base_url=shop.url, timeout=15) as client:
            again = Buyer(client, buyer.name, buyer.headers)
            cart = (await again.get("/cart-api/cart/")).json()
            orders = await again.orders()
            total = (await again.get("/user-api/users/me/total-spent")).json()
            stock = await again.stock(product)
            later = (await client.get("/api/products/categories/list")).json()
        assert shop.close() == 0

    with shop_on_trial(tmp_path, FRESH="1", **FAST_HASHES) as shop:
        async with httpx.AsyncClient(base_url=shop.url, timeout=15) as client:
            gone = await client.get("/user-api/users/me", headers=buyer.headers)

    assert [line["quantity"] for line in cart["items"]] == [2]
    assert [each["id"] for each in orders] == [order["id"]]
    assert (total["total_spent"], stock) == (order["total"], 4)
    assert [each for each in later if each["name"] != "Пробы"] == categories
    assert gone.status_code == 401


def test_a_damaged_journal_keeps_the_shop_closed_with_a_sentence(tmp_path: Path):
    with shop_on_trial(tmp_path, **FAST_HASHES) as shop:
        assert shop.close() == 0
    log = tmp_path / "data" / "catalog" / "log-00000001"
    content = bytearray(log.read_bytes())
    content[200] ^= 1
    log.write_bytes(bytes(content))

    with (
        pytest.raises(RuntimeError, match=rf"{log} is damaged at byte 96"),
        shop_on_trial(tmp_path, **FAST_HASHES),
    ):
        pytest.fail("it opened")
