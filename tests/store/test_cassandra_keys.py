"""Idempotency keys that instances share: the same promise, kept between processes."""

import asyncio
from typing import Any

import pytest

from deploy.cassandra.trial import Trial
from store.answers import Response
from store.errors import KeyReused
from store.idempotency import IdempotencyKeys, fingerprint
from tests.node import database, emptied
from tests.store.test_idempotency import BODY, SCOPE, OutOfStock, Shop, is_replayed, order_of

pytestmark = pytest.mark.cassandra

KEYSPACE = "shared_keys"


@pytest.fixture(scope="module")
def shared(cassandra: Trial) -> Any:
    from store.cassandra.bridge import Bridge
    from store.cassandra.keys import STATEMENTS
    from store.cassandra.models import IdempotencyKey
    from store.cassandra.schema import Schema

    nobodys = ["nothing", None]
    schema = Schema("keys", [IdempotencyKey], STATEMENTS, trial=("release_key", nobodys))
    return Bridge(database(cassandra, keyspace=KEYSPACE), schema)


@pytest.fixture
async def bridge(shared: Any) -> Any:
    await emptied(shared)
    return shared


@pytest.fixture
def keys(bridge: Any) -> list[IdempotencyKeys]:
    """Of three instances."""
    from store.cassandra.keys import SharedKeys

    return [SharedKeys(bridge) for _ in range(3)]


async def test_one_instance_replays_what_another_answered(keys: list[IdempotencyKeys]) -> None:
    shop = Shop()

    first = await keys[0].once(SCOPE, BODY, shop.order)
    again = await keys[1].once(SCOPE, BODY, shop.order)

    assert (first.status, again.status, order_of(again), shop.orders) == (201, 201, 1, 1)
    assert (is_replayed(first), is_replayed(again)) == (False, True)
    assert again.headers["Link"] == "<x>"  # type: ignore[index]


async def test_a_refusal_is_an_answer(keys: list[IdempotencyKeys]) -> None:
    shop = Shop(OutOfStock())

    with pytest.raises(OutOfStock):
        await keys[0].once(SCOPE, BODY, shop.order)
    again = await keys[1].once(SCOPE, BODY, shop.order)

    assert (again.status, is_replayed(again), shop.orders) == (409, True, 1)


async def test_all_that_come_at_once_get_one_answer(keys: list[IdempotencyKeys]) -> None:
    shop = Shop()

    async def order() -> Response:
        await asyncio.sleep(0.3)
        return await shop.order()

    answers = await asyncio.gather(*(each.once(SCOPE, BODY, order) for each in keys * 5))

    assert {order_of(answer) for answer in answers} == {1}
    assert shop.orders == 1


async def test_another_body_is_refused_by_any_instance(keys: list[IdempotencyKeys]) -> None:
    shop = Shop()
    await keys[0].once(SCOPE, BODY, shop.order)

    with pytest.raises(KeyReused):
        await keys[1].once(SCOPE, fingerprint({"other": 1}), shop.order)


async def test_what_came_to_nothing_may_be_tried_again_anywhere(
    keys: list[IdempotencyKeys],
) -> None:
    shop = Shop(ConnectionError())
    with pytest.raises(ConnectionError):
        await keys[0].once(SCOPE, BODY, shop.order)

    answer = await keys[1].once(SCOPE, BODY, shop.order)

    assert order_of(answer) == 2


async def test_the_claim_of_a_dead_instance_ends_by_itself(
    keys: list[IdempotencyKeys], bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.cassandra import keys as module

    monkeypatch.setattr(module, "CLAIM_SECONDS", 1)
    shop = Shop()
    claimed = await keys[0]._given_before(SCOPE, BODY)

    answer = await keys[1].once(SCOPE, BODY, shop.order)

    assert (claimed, order_of(answer), is_replayed(answer)) == (None, 1, False)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("lost", ["claim_key", "answer_key"])
async def test_a_lost_answer_of_the_table_is_looked_for(
    keys: list[IdempotencyKeys],
    bridge: Any,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    is_done: bool,
) -> None:
    from store.cassandra.bridge import OutcomeUnknown

    shop, really, times = Shop(), bridge.ask, []

    async def ask(name: str, *values: Any) -> Any:
        if name != lost or times:
            return await really(name, *values)
        times.append(name)
        if is_done:
            await really(name, *values)
        raise OutcomeUnknown

    monkeypatch.setattr(bridge, "ask", ask)
    await keys[0].once(SCOPE, BODY, shop.order)
    again = await keys[1].once(SCOPE, BODY, shop.order)

    assert (order_of(again), is_replayed(again), shop.orders, times) == (1, True, 1, [lost])


async def test_an_answer_is_forgotten_after_its_time(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.cassandra import keys as module

    monkeypatch.setattr(module, "CLAIM_SECONDS", 1)
    keys, shop = module.SharedKeys(bridge, keep_seconds=1), Shop()
    await keys.once(SCOPE, BODY, shop.order)
    await asyncio.sleep(2.2)

    answer = await keys.once(SCOPE, BODY, shop.order)

    assert order_of(answer) == 2
