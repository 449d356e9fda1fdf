"""What the containers' volumes promise: kills, full disks, and a shop that was taken down."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.containers.engine import Engine
from deploy.containers.several import CONTAINERS
from tests.deploy.boxes import (
    MARKS,
    door,
    is_open,
    main_process,
    podman,
    shop_in_containers,
    wait_until_open,
)
from tests.journeys.buyers import Buyer
from tests.journeys.test_journal import STOCK, keep_buying, settled

pytestmark = MARKS

ASK = (
    "import sys, urllib.error, urllib.request as u\n"
    "asked = u.Request('http://127.0.0.1:8003' + sys.argv[1], data=sys.stdin.buffer.read() or None,"
    " headers={'Content-Type': 'application/json'})\n"
    "try: answer = u.urlopen(asked)\n"
    "except urllib.error.HTTPError as error: answer = error\n"
    "print(answer.status, answer.headers.get('Retry-After'), answer.read().decode())"
)


@pytest.fixture(scope="module")
def shop(images: None) -> Iterator[Engine]:
    with shop_in_containers(PASSWORD_ROUNDS="4") as compose:
        yield compose


@pytest.fixture
async def client(shop: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door(shop), timeout=30) as client:
        yield client


@pytest.mark.parametrize("victim", CONTAINERS)
async def test_a_container_killed_under_load_loses_nothing_acknowledged(
    shop: Engine, client: httpx.AsyncClient, victim: str
):
    admin = await Buyer.logged_in(client, "swagger_admin", "admin123")
    product = await admin.new_product(stock=STOCK)
    acknowledged, stop = set[str](), asyncio.Event()
    buyers = [await Buyer.registered(client) for _ in range(4)]
    load = [
        asyncio.create_task(keep_buying(buyer, product, acknowledged, stop)) for buyer in buyers
    ]
    await asyncio.sleep(2)

    os.kill(main_process(shop, CONTAINERS[victim]), 9)

    before = len(acknowledged)
    await asyncio.to_thread(wait_until_open, shop)
    await asyncio.sleep(2)
    stop.set()
    await asyncio.gather(*load)
    orders = [order for buyer in buyers for order in await buyer.orders()]
    assert 0 < before < len(acknowledged)
    assert acknowledged <= {order["id"] for order in orders}
    await settled(admin, product, sold=sum(order["items"][0]["quantity"] for order in orders))


async def test_data_survive_down_and_up(shop: Engine, client: httpx.AsyncClient):
    admin = await Buyer.logged_in(client, "swagger_admin", "admin123")
    product = await admin.new_product(stock=9)
    buyer = await Buyer.registered(client)
    await buyer.add(product)
    order = (await buyer.check_out()).json()
    await buyer.add(product, 2)

    assert shop.run("down") == 0
    assert not is_open(shop)
    assert shop.run("up", "--detach") == 0
    await asyncio.to_thread(wait_until_open, shop)

    cart = (await buyer.get("/cart-api/cart/")).json()
    assert [each["id"] for each in await buyer.orders()] == [order["id"]]
    assert [line["quantity"] for line in cart["items"]] == [2]
    assert await buyer.stock(product) == 8


@pytest.fixture
def full(shop: Engine) -> Iterator[str]:
    """accounts alone, on a data volume of 9 MiB of which 4 are taken."""
    name = f"full-{secrets.token_hex(3)}"
    image = f"{shop.environment['IMAGE_PREFIX']}/accounts:latest"
    settings = ("--env", f"SECRET_KEY={secrets.token_urlsafe(48)}", "--env", "DATA_DIR=/full")
    volume = ("--read-only", "--tmpfs", "/full:size=9m,mode=1777")
    start = "head -c 4194304 /dev/zero >/full/hog; exec python serve.py"
    words = ("run", "--detach", "--name", name, *volume, *settings, image, "sh", "-c", start)
    started = podman(shop, *words)
    assert started.returncode == 0, started.stderr
    yield name
    podman(shop, "rm", "--force", "--time", "0", name)


def test_a_full_volume_is_a_503_with_a_sentence_until_there_is_room(shop: Engine, full: str):
    wait_for(shop, full, "/health", "200")

    ready = asked(shop, full, "/ready")
    refused = asked(shop, full, "/users/register", body=person())
    podman(shop, "exec", full, "rm", "/full/hog")
    wait_for(shop, full, "/ready", "200")
    accepted = asked(shop, full, "/users/register", body=person())

    assert ready.startswith("503 ")
    assert refused.startswith("503 ")
    assert not refused.startswith("503 None")
    assert '"journal_unavailable"' in refused
    assert accepted.startswith("201 ")
    assert "No space left on device" in ready
    words = podman(shop, "logs", full)
    assert "no more room on the disk: No space left on device" in words.stdout + words.stderr


def person() -> str:
    name = f"buyer_{secrets.token_hex(4)}"
    return (
        f'{{"username": "{name}", "full_name": "A Buyer", "phone": "+7 999 000-00-00",'
        ' "password": "a password"}'
    )


def asked(shop: Engine, container: str, path: str, *, body: str = "") -> str:
    """Status, Retry-After and body of the answer to a question from inside."""
    script = f"printf %s '{body}' | python -c \"$0\" {path}"
    return podman(shop, "exec", container, "sh", "-c", script, ASK).stdout


def wait_for(shop: Engine, container: str, path: str, status: str) -> None:
    deadline = time.monotonic() + 60
    while not asked(shop, container, path).startswith(status):
        assert time.monotonic() < deadline, podman(shop, "logs", container)
        time.sleep(0.5)
