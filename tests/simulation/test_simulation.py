"""The four services through many simulated lives; a seed that failed once is lived again.

A life is told by its seed alone: SIMULATION_FROM=17 SIMULATION_SEEDS=1 lives number 17 again.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from carts.journal import JournaledCarts
from catalog.repositories import MemoryCatalog
from orders import ledger
from orders.domain import Destination
from orders.domain.messages import messages_of
from tests.simulation.world import Outcome, simulate

FIRST = int(os.environ.get("SIMULATION_FROM", "0"))
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "200"))
# Those that once found something; what they found is mended.
FAILED_ONCE: list[int] = [64]

pytestmark = pytest.mark.timeout(36_000)
TELL = "from tests.simulation.world import simulate; print(simulate({seed}).story)"


def test_whatever_breaks_the_books_balance_in_the_end() -> None:
    seeds = [*FAILED_ONCE, *range(FIRST, FIRST + SEEDS)]

    outcomes = {seed: simulate(seed) for seed in seeds}

    assert {seed: each.problems for seed, each in outcomes.items() if each.problems} == {}
    report(list(outcomes.values()))


def report(outcomes: list[Outcome]) -> None:
    """A run in which nothing happens proves nothing."""
    orders, crashes, mishaps = (
        sum(getattr(each, name) for each in outcomes) for name in ("orders", "crashes", "mishaps")
    )
    print(f"{len(outcomes)} lives: {orders} orders, {crashes} crashes, {mishaps} mishaps")
    assert min(orders, crashes, mishaps) >= len(outcomes)


def test_the_same_seed_lives_the_same_life_in_any_process() -> None:
    here = [simulate(3).story for _ in range(2)]

    assert [here[1], *map(story_elsewhere, ("1", "2"))] == [here[0]] * 3
    assert simulate(4).story != here[0]


def story_elsewhere(hash_seed: str) -> str:
    code = f"import tests.environment, store.asgi; {TELL.format(seed=3)}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def tells_nobody(patch: pytest.MonkeyPatch) -> None:
    """No word of an order reaches accounts. (Of stock it may: the sweeper mends what is untold.)"""

    def messages(order: Any) -> Any:
        return [each for each in messages_of(order) if each.destination is Destination.CATALOG]

    patch.setattr(ledger, "messages_of", messages)


def sells_twice(patch: pytest.MonkeyPatch) -> None:
    """A reservation that is asked for again is made again."""
    reserve = MemoryCatalog.reserve

    async def again(self: Any, order_id: Any, *args: Any, **options: Any) -> Any:
        known = self._register._by_order.pop(order_id, None)
        if known is not None:
            self._register._by_state[known.state].clear()
        return await reserve(self, order_id, *args, **options)

    patch.setattr(MemoryCatalog, "reserve", again)


def forgets_checkouts(patch: pytest.MonkeyPatch) -> None:
    """After a crash carts does not know what was being bought."""
    restore = JournaledCarts.__init__

    def forgetful(self: Any, *args: Any, **options: Any) -> None:
        restore(self, *args, **options)
        for cart in self._carts.values():
            cart.intent = None

    patch.setattr(JournaledCarts, "__init__", forgetful)


@pytest.mark.parametrize("mutant", [tells_nobody, sells_twice, forgets_checkouts])
def test_a_shop_without_one_of_its_guards_is_found_out(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    assert any(simulate(seed).problems for seed in range(40))
