"""State goes from a journal through a file into Cassandra and back, and is the same."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.cassandra.buyers import products_on_sale
from deploy.cassandra.trial import Trial as Node
from deploy.cassandra.trial import cassandra_on_trial, why_not
from deploy.local.layout import PROJECT
from deploy.local.secret import secret_key
from deploy.local.trial import Trial, shop_on_trial
from store.journal import open_journal
from store.journal.replay import Tables
from store.moving import file, journals
from store.moving.errors import CannotMove
from tests.journeys.buyers import Buyer
from tests.journeys.conftest import FAST_HASHES

SLOW = {"ORDER_PROCESSING_DELAY": "20", "ORDER_SHIPPING_DELAY": "600"}
ADDRESSES = (
    ("catalog", "BACKEND_URL"),
    ("carts", "CART_SERVICE_URL"),
    ("orders", "ORDER_SERVICE_URL"),
    ("accounts", "USER_SERVICE_URL"),
)
STATES: dict[str, Tables] = {
    "carts": {"carts": {"ann": b'{"user":"ann"}', "bob": b'{"user":"bob"}'}},
    "orders": {},
}


def test_a_file_gives_back_what_was_written_in_the_same_order(tmp_path: Path) -> None:
    file.write(tmp_path / "state", STATES)

    header, states = file.read(tmp_path / "state")

    assert states == STATES
    assert list(states["carts"]["carts"]) == ["ann", "bob"]
    assert header.rows == {"carts": 2, "orders": 0}


def test_only_its_owner_reads_a_file_with_password_hashes(tmp_path: Path) -> None:
    file.write(tmp_path / "state", STATES)

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "harm", [lambda text: text[:-9], lambda text: text.replace(b"bob", b"eve")]
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, harm: Any) -> None:
    file.write(tmp_path / "state", STATES)
    (tmp_path / "state").write_bytes(harm((tmp_path / "state").read_bytes()))

    with pytest.raises(CannotMove, match="damaged"):
        file.read(tmp_path / "state")


def test_another_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("mine")

    with pytest.raises(CannotMove, match="there already"):
        file.write(tmp_path / "state", STATES)


CARTS = STATES["carts"]


async def test_a_journal_gives_back_what_was_put_into_it(tmp_path: Path) -> None:
    await journals.put(tmp_path, "carts", CARTS)

    assert journals.read(tmp_path, "carts") == CARTS


async def test_a_journal_that_holds_something_is_not_added_to(tmp_path: Path) -> None:
    journals.check_empty(tmp_path, "carts")
    await journals.put(tmp_path, "carts", CARTS)

    with pytest.raises(CannotMove, match="already"):
        journals.check_empty(tmp_path, "carts")


async def test_a_journal_is_not_read_while_its_service_runs(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, "carts")
    journal.open()

    with pytest.raises(CannotMove, match="in use by another process"):
        journals.read(tmp_path, "carts")
    await journal.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if reason := why_not():
        pytest.skip(reason)
    with cassandra_on_trial(tmp_path_factory.mktemp("house")) as running:
        yield running


def command(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=PROJECT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


async def bought(shop: Trial) -> list[str]:
    """Orders at the beginning of their lives, one cancelled, a cart and what was looked at."""
    async with httpx.AsyncClient(base_url=shop.url, timeout=30) as gateway:
        milk, bread, tea = await products_on_sale(gateway, 3, stock=9)
        made = []
        for product in (milk, bread):
            buyer = await Buyer.registered(gateway)
            await buyer.add(product, 2)
            made.append((await buyer.check_out()).json()["id"])
            await buyer.add(tea)
        await buyer.cancel(made[-1])
    return made


async def status_of(shop: Trial, order_id: str) -> str:
    """Some seconds after its start: the clock has caught up then."""
    deadline = time.monotonic() + 30
    async with httpx.AsyncClient(base_url=shop.url, timeout=30) as gateway:
        admin = await Buyer.logged_in(gateway, "swagger_admin", "admin123")
        while True:
            status = (await admin.get(f"/order-api/orders/{order_id}")).json().get("status")
            if status == "PROCESSING" or time.monotonic() > deadline:
                return str(status)
            await asyncio.sleep(0.3)


def without_moments(states: file.States) -> dict[str, Any]:
    """Since when an order has ended is known on Cassandra to some seconds only; what somebody
    has spent stands in a table of its own, which counts.
    """
    rows: dict[str, Any] = {
        service: {
            table: {key: json.loads(row) for key, row in of_table.items()}
            for table, of_table in tables.items()
            if of_table and table != "keys"
        }
        for service, tables in states.items()
    }
    for row in rows["accounts"]["orders"].values():
        row["ended_at"] = row["ended_at"] is not None
    for user in rows["accounts"]["users"].values():
        del user["total_spent"]
    return rows


@pytest.mark.processes
@pytest.mark.cassandra
@pytest.mark.timeout(500)
async def test_a_shop_moves_to_cassandra_and_back(node: Node, tmp_path: Path) -> None:
    memory = {**FAST_HASHES, **SLOW, "DATA_DIR": str(tmp_path / "run" / "data")}
    with shop_on_trial(tmp_path / "run", **FAST_HASHES, **SLOW) as shop:
        orders = await bought(shop)
        key = {"SECRET_KEY": secret_key(shop.layout)}
        addresses = {name: shop.layout.url(service) for service, name in ADDRESSES}
        running = command("export_state", tmp_path / "early", **memory, **key, **addresses)
        assert shop.close() == 0
    settings = {**key, **addresses}
    there = {**settings, **node.settings, "STORE": "cassandra"}
    (tmp_path / "new").mkdir()

    out = command("export_state", tmp_path / "one", **memory, **settings)
    into = command("import_state", tmp_path / "one", **there)
    twice = command("import_state", tmp_path / "one", **there)
    back = command("export_state", tmp_path / "two", **there)
    home = {**settings, "DATA_DIR": str(tmp_path / "new")}
    again = command("import_state", tmp_path / "two", **home)
    last = command("export_state", tmp_path / "three", **home)

    assert running.returncode == 1
    assert "stop the shop first" in running.stderr
    for done in (out, into, back, again, last):
        assert done.returncode == 0, done.stderr
    assert "already" in twice.stderr
    one, two, three = (file.read(tmp_path / name)[1] for name in ("one", "two", "three"))
    assert without_moments(two) == without_moments(one)
    assert three == two
    with shop_on_trial(tmp_path / "moved", **FAST_HASHES, **SLOW, **there) as shop:
        assert (await status_of(shop, orders[0])) == "PROCESSING"
        await bought(shop)
        urls = {name: shop.layout.url(service) for service, name in ADDRESSES}
        audit = command("audit", **key, **urls)
        assert audit.returncode == 0, audit.stdout + audit.stderr
