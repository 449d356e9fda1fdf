"""The shop against a plain model of it: many short lives, each of random steps.

MODEL_RUNS=20000 asks for more of them, and for others than last time.
"""

import itertools
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from catalog.domain import ReservedLine
from catalog.repositories import MemoryCatalog
from orders.domain import LIFECYCLE
from orders.domain.lifecycle import Stage, Status
from store.idempotency import IdempotencyKeys
from tests.model.machine import ShopMachine

RUNS = int(os.environ.get("MODEL_RUNS", "25"))
STEPS = 50


def live(runs: int, *phases: Phase) -> None:
    life = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        phases=phases,
        deadline=None,
        database=None,
        derandomize="MODEL_RUNS" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ShopMachine, settings=life)


@pytest.mark.timeout(36_000)
def test_the_shop_does_what_the_model_does() -> None:
    live(RUNS, Phase.generate, Phase.shrink)


def sells_what_is_not_there(patch: pytest.MonkeyPatch) -> None:
    def lines(self: MemoryCatalog, quantities: dict[UUID, int]) -> tuple[ReservedLine, ...]:
        products = [self._products[each.int] for each in quantities]
        facts = [(p.product_id, p.name, p.price, quantities[p.product_id]) for p in products]
        return tuple(itertools.starmap(ReservedLine, facts))

    patch.setattr(MemoryCatalog, "_reserved_lines", lines)


def forgets_keys(patch: pytest.MonkeyPatch) -> None:
    async def once(self: object, scope: object, fingerprint: object, work: Any) -> Any:
        return await work()

    patch.setattr(IdempotencyKeys, "once", once)
    # Behind the kept answers stands the order's id, which is made of the key.
    patch.setattr("carts.checkout.order_id_for", lambda *_: uuid4())


def keeps_the_stock_of_the_cancelled(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LIFECYCLE, Status.CANCELLED, Stage())


@pytest.mark.parametrize(
    "mutant", [sells_what_is_not_there, forgets_keys, keeps_the_stock_of_the_cancelled]
)
def test_a_shop_without_one_of_its_guards_is_found_out(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    with pytest.raises((AssertionError, KeyError)):
        live(100, Phase.generate)
