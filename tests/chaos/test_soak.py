"""A shop that sells for a while and is killed now and then neither grows nor leaks: T47."""

import asyncio
import os
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from tests.chaos.conftest import Figures
from tests.chaos.history import Buyer, History, registered, stocked
from tests.chaos.oracle import assert_all_holds
from tests.chaos.shop import Shop, client, name_of_a_user, shop_under_fire

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(5400)]

MIB = 1024 * 1024
KILLED, LEFT_ALONE = ("carts", "orders"), ("catalog", "accounts")
# A dictionary that doubles, a pool that fills: what a short run may see of a process that is well.
USUAL_GROWTH_MIB = 24


async def test_t47_memory_and_files_stay_where_they_are(
    tmp_path: Path, history: History, seed: int, is_long: bool, figures: Figures
) -> None:
    seconds, pause, buyers = (3600.0, 60.0, 50) if is_long else (75.0, 20.0, 15)
    with shop_under_fire(tmp_path, direct=True) as shop:
        async with client(seconds=30) as web:
            products = await stocked(shop, web, history, *[1_000_000] * 4)
            names = [name_of_a_user() for _ in range(buyers)]
            crowd = await registered(shop, web, history, names)
            ends_at, kills = time.monotonic() + seconds, 0
            seen: list[dict[str, tuple[float, int]]] = []

            async def keeps_killing() -> None:
                nonlocal kills
                for victim in cycle(KILLED):
                    await asyncio.sleep(pause)
                    if time.monotonic() > ends_at - 5:
                        return
                    await shop.is_back(victim, killed=shop.kill(victim), seconds=60)
                    kills += 1

            async def keeps_looking() -> None:
                await asyncio.sleep(seconds / 3)
                while time.monotonic() < ends_at:
                    seen.append({name: held_by(shop, name) for name in LEFT_ALONE})
                    await asyncio.sleep(2)

            buying = (
                keeps_buying(each, products, Random(f"{seed} {n}"), until=ends_at)
                for n, each in enumerate(crowd)
            )
            await asyncio.gather(keeps_killing(), keeps_looking(), *buying)
            oracle = await assert_all_holds(shop, web, history)
    grown = {name: seen[-1][name][0] - seen[0][name][0] for name in LEFT_ALONE}
    files = {name: max(each[name][1] for each in seen) for name in LEFT_ALONE}
    figures(
        "T47",
        seconds=seconds,
        kills=kills,
        orders=len(oracle.orders),
        grown={name: f"{mib:.1f} MiB" for name, mib in grown.items()},
        files=files,
    )
    # A MiB in ten minutes in the long run, on top of what is usual.
    assert max(grown.values()) < USUAL_GROWTH_MIB + seconds / 600
    assert max(files.values()) < 400


async def keeps_buying(
    buyer: Buyer, products: Sequence[str], dice: Random, *, until: float
) -> None:
    number = 0
    while time.monotonic() < until:
        number += 1
        await buyer.add_surely(dice.choice(products))
        order = await buyer.check_out_surely(key=f"{number}")
        if order.is_ok and dice.random() < 0.3:
            await buyer.cancel_surely(order.body["id"])
        await asyncio.sleep(dice.random())


def held_by(shop: Shop, name: str) -> tuple[float, int]:
    """MiB of memory, and open files, of a service."""
    process = Path(f"/proc/{shop.trial.pid(name)}")
    pages = int((process / "statm").read_text().split()[1])
    files = len(list((process / "fd").iterdir()))
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB, files
