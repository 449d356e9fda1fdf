"""The commands on real shops: the books of one that is busy, broken, or away, and the drill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.local.layout import ADDRESS_SETTINGS, PROJECT
from deploy.local.secret import secret_key
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES

pytestmark = pytest.mark.processes
AWAY = dict.fromkeys(ADDRESS_SETTINGS.values(), "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A shop of its own, without a journal: what is killed forgets."""
    folder = tmp_path_factory.mktemp("audited")
    with shop_on_trial(folder, DATA_DIR="", **FAST_HASHES) as shop:
        yield shop
        assert shop.close() == 0


@pytest.fixture
async def gateway(running: Trial) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url, timeout=15) as client:
        yield client


@pytest.fixture
async def admin(gateway: httpx.AsyncClient) -> Buyer:
    return await Buyer.logged_in(gateway, "swagger_admin", "admin123")


def manage(shop: Trial, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    addresses = {name: shop.layout.url(service) for service, name in ADDRESS_SETTINGS.items()}
    key = {"SECRET_KEY": secret_key(shop.layout)}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=dict(os.environ) | key | addresses | settings,
        capture_output=True,
        text=True,
        check=False,
    )


async def drift(shop: Trial) -> list[str]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{shop.layout.url('orders')}/metrics")).text
    return [line for line in text.splitlines() if line.startswith("shop_books_drift{")]


async def test_the_books_of_a_busy_shop_balance_and_prometheus_hears_of_it(
    running: Trial, gateway: httpx.AsyncClient, admin: Buyer
):
    product = await admin.new_product(stock=5)
    buyers = [await Buyer.registered(gateway) for _ in range(3)]
    for buyer in buyers:
        await buyer.add(product)
        order = (await buyer.check_out()).json()
    await buyers[-1].cancel(order["id"])

    done = manage(running, "audit")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The books balance." in done.stdout
    assert 'shop_books_drift{check="stock"} 0.0' in await drift(running)
    assert len(await drift(running)) == 7


async def test_a_running_shop_keeps_its_word(running: Trial):
    done = manage(running, "prove", "--url", running.url)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 got it, 199 were told it is sold out, 0 left" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("The shop keeps its word")


def test_another_shops_key_is_told_as_what_it_is(running: Trial):
    key = "the key of some other shop; it is as long as keys are"

    done = manage(running, "audit", SECRET_KEY=key)

    assert done.returncode == 2
    assert done.stderr == "The catalog service could not be asked: The token is not valid.\n"


@pytest.mark.parametrize("away", list(ADDRESS_SETTINGS))
def test_a_service_that_is_away_is_named(running: Trial, away: str):
    name = ADDRESS_SETTINGS[away]

    done = manage(running, "audit", **{name: AWAY[name]})

    assert done.returncode == 2
    assert done.stderr.startswith(f"The {away} service could not be asked: ")


async def test_a_catalogue_that_forgot_its_reservations_is_found_out(
    running: Trial, gateway: httpx.AsyncClient, admin: Buyer
):
    product = await admin.new_product(stock=5)
    buyer = await Buyer.registered(gateway)
    await buyer.add(product)
    order = (await buyer.check_out()).json()
    killed = running.kill("catalog", signal.SIGKILL)
    running.wait_until(
        lambda: running.pid("catalog") not in (0, killed) and running.is_ready("catalog")
    )

    done = manage(running, "audit", "--json", "--again-after", "0.2")

    said = json.loads(done.stdout)
    assert (done.returncode, said["balanced"]) == (1, False)
    texts = [found["text"] for found in said["differences"] if order["id"] in found["ids"]]
    assert [text.partition(" is ")[0] for text in texts] == [f"Order {order['id']}"]
    assert texts[0].endswith("and catalog neither holds nor has sold its stock.")
    counts = {each["check"]: each["differences"] for each in said["checks"]}
    assert f'shop_books_drift{{check="orders"}} {counts["orders"]:.1f}' in await drift(running)
