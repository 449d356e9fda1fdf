"""Idempotency keys: one definite answer, replayed; anything else may be tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import idempotency
from store.answers import Response
from store.errors import Conflict, Forbidden, Invalid, KeyReused, NotAuthenticated, Unavailable
from store.idempotency import BadKey, IdempotencyKeys, fingerprint, idempotency_key

SCOPE = ("alice", "POST", "/cart/checkout", "key-1")
BODY = fingerprint({})


class OutOfStock(Conflict):
    code = "insufficient_stock"


class Shop:
    """Counts its orders; every answer names the order it made."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.orders = 0

    async def order(self) -> Response:
        self.orders += 1
        if self.errors:
            raise self.errors.pop(0)
        return Response({"order": self.orders}, status=201, headers={"Link": "<x>"})


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def order_of(answer: Response) -> int:
    return int(orjson.loads(answer.data)["order"])


def is_replayed(answer: Response) -> bool:
    return (answer.headers or {}).get("Idempotent-Replayed") == "true"


async def test_the_first_answer_is_replayed_with_its_status_and_headers() -> None:
    keys, shop = IdempotencyKeys(), Shop()

    first = await keys.once(SCOPE, BODY, shop.order)
    second = await keys.once(SCOPE, BODY, shop.order)

    assert (shop.orders, second.data, second.status) == (1, first.data, 201)
    assert first.headers == {"Link": "<x>"}
    assert second.headers == {"Link": "<x>", "Idempotent-Replayed": "true"}


async def test_a_conflict_is_replayed_with_all_it_said() -> None:
    facts = {"left": {"tea": 2}}
    keys, shop = IdempotencyKeys(), Shop(OutOfStock("Sold out.", facts=facts))

    with pytest.raises(OutOfStock):
        await keys.once(SCOPE, BODY, shop.order)
    second = await keys.once(SCOPE, BODY, shop.order)

    assert (shop.orders, second.status, is_replayed(second)) == (1, 409, True)
    body = {"detail": "Sold out.", "code": "insufficient_stock", **facts}
    assert orjson.loads(second.data) == body


@pytest.mark.parametrize("error", [Invalid, NotAuthenticated, Forbidden, Unavailable, ValueError])
async def test_an_answer_that_is_not_definite_is_not_kept(error: type[Exception]) -> None:
    keys, shop = IdempotencyKeys(), Shop(error())

    with pytest.raises(error):
        await keys.once(SCOPE, BODY, shop.order)
    second = await keys.once(SCOPE, BODY, shop.order)

    assert (shop.orders, is_replayed(second)) == (2, False)


async def test_an_error_that_is_returned_is_not_kept_either() -> None:
    keys, runs = IdempotencyKeys(), []

    async def refuse() -> Response:
        runs.append("run")
        return Response({"detail": "No."}, status=400)

    await keys.once(SCOPE, BODY, refuse)
    await keys.once(SCOPE, BODY, refuse)

    assert runs == ["run", "run"]


async def test_another_body_under_the_same_key_is_refused() -> None:
    keys, shop = IdempotencyKeys(), Shop()
    await keys.once(SCOPE, BODY, shop.order)

    with pytest.raises(KeyReused):
        await keys.once(SCOPE, fingerprint({"other": 1}), shop.order)

    assert shop.orders == 1


@pytest.mark.parametrize("place", range(4))
async def test_user_method_path_and_key_each_make_it_another_request(place: int) -> None:
    keys, shop = IdempotencyKeys(), Shop()
    other = cast(Any, (*SCOPE[:place], "another", *SCOPE[place + 1 :]))

    await keys.once(SCOPE, BODY, shop.order)
    await keys.once(other, BODY, shop.order)

    assert shop.orders == 2


async def test_after_24_hours_a_key_is_new() -> None:
    time, shop = Time(), Shop()
    keys = IdempotencyKeys(clock=time)

    await keys.once(SCOPE, BODY, shop.order)
    time.now = 24 * 3600 - 1
    assert is_replayed(await keys.once(SCOPE, BODY, shop.order))
    time.now = 24 * 3600
    assert not is_replayed(await keys.once(SCOPE, BODY, shop.order))

    assert shop.orders == 2


async def test_the_24_hours_begin_with_the_answer_not_with_the_request() -> None:
    time, slow = Time(), Slow()
    keys = IdempotencyKeys(clock=time)
    first = asyncio.create_task(keys.once(SCOPE, BODY, slow.order))
    await slow.begun.wait()
    time.now = 1000
    slow.go_on.set()
    await first

    time.now = 24 * 3600 + 999

    assert is_replayed(await keys.once(SCOPE, BODY, slow.order))


async def test_old_answers_leave_memory_though_nobody_asks_for_them_again() -> None:
    time, shop = Time(), Shop()
    keys = IdempotencyKeys(clock=time)
    for number in range(10):
        await keys.once((*SCOPE[:3], f"key-{number}"), BODY, shop.order)

    time.now = 24 * 3600
    await keys.once(("bob", *SCOPE[1:]), BODY, shop.order)

    assert len(keys._kept) == 1


async def test_beyond_the_limit_the_oldest_answers_go_first_and_are_counted() -> None:
    keys, shop = IdempotencyKeys(limit=3), Shop()
    dropped = idempotency.DROPPED._value.get()

    for number in range(5):
        await keys.once((*SCOPE[:3], f"key-{number}"), BODY, shop.order)

    assert [scope[3] for scope in keys._kept] == ["key-2", "key-3", "key-4"]
    assert idempotency.DROPPED._value.get() - dropped == 2


class Slow:
    """One order at a time; each waits until it may go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.orders = 0

    async def order(self) -> Response:
        self.orders += 1
        self.begun.set()
        await self.go_on.wait()
        return Response({"order": self.orders})


async def joined(
    keys: IdempotencyKeys, work: Callable[[], Awaitable[Response]], number: int
) -> list[asyncio.Task[Response]]:
    """``number`` requests with the same key, the first of them running, the others waiting."""
    requests = [asyncio.create_task(keys.once(SCOPE, BODY, work)) for _ in range(number)]
    await asyncio.sleep(0)
    return requests


async def test_requests_under_a_running_key_join_it() -> None:
    keys, slow = IdempotencyKeys(), Slow()
    requests = await joined(keys, slow.order, 50)

    slow.go_on.set()
    answers = await asyncio.gather(*requests)

    assert slow.orders == 1
    assert {order_of(answer) for answer in answers} == {1}
    assert [is_replayed(answer) for answer in answers] == [False] + [True] * 49


async def test_another_body_is_refused_while_the_first_is_running() -> None:
    keys, slow = IdempotencyKeys(), Slow()
    first, *_ = await joined(keys, slow.order, 1)

    with pytest.raises(KeyReused):
        await keys.once(SCOPE, fingerprint({"other": 1}), slow.order)

    slow.go_on.set()
    assert order_of(await first) == 1


async def test_a_running_request_is_never_dropped_for_room() -> None:
    keys, slow, shop = IdempotencyKeys(limit=1), Slow(), Shop()
    first, *_ = await joined(keys, slow.order, 1)
    for number in range(5):
        await keys.once(("bob", "POST", "/", f"{number}"), BODY, shop.order)

    second = asyncio.create_task(keys.once(SCOPE, BODY, slow.order))
    slow.go_on.set()

    assert order_of(await first) == order_of(await second) == 1


async def test_when_the_first_is_cancelled_one_of_those_who_joined_takes_over() -> None:
    keys, slow = IdempotencyKeys(), Slow()
    first, *others = await joined(keys, slow.order, 3)

    first.cancel()
    slow.go_on.set()
    answers = await asyncio.gather(*others)

    assert slow.orders == 2
    assert [order_of(answer) for answer in answers] == [2, 2]


async def test_one_who_joined_and_is_cancelled_takes_nobody_with_him() -> None:
    keys, slow = IdempotencyKeys(), Slow()
    first, second, third = await joined(keys, slow.order, 3)

    second.cancel()
    slow.go_on.set()

    assert order_of(await first) == order_of(await third) == 1
    await asyncio.wait({second})
    assert second.cancelled()


async def test_when_the_first_finds_a_service_away_the_next_one_tries() -> None:
    keys, shop = IdempotencyKeys(), Shop(Unavailable(), Unavailable())
    requests = await joined(keys, shop.order, 4)

    outcomes = await asyncio.gather(*requests, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, Response, Response]
    assert shop.orders == 3


async def test_two_thousand_who_joined_may_all_fail_one_after_the_other() -> None:
    keys, shop = IdempotencyKeys(), Shop(*(Unavailable() for _ in range(2000)))
    requests = await joined(keys, shop.order, 2000)

    outcomes = await asyncio.gather(*requests, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert not keys._running


def key_of(header: str | None) -> str | None:
    meta = {} if header is None else {"HTTP_IDEMPOTENCY_KEY": header}
    return idempotency_key(cast(Any, SimpleNamespace(META=meta)))


@pytest.mark.parametrize(
    ("header", "key"),
    [(None, None), ("abc", "abc"), ('"abc"', "abc"), (" abc ", "abc"), ("x" * 255, "x" * 255)],
)
def test_a_key_comes_quoted_or_bare(header: str | None, key: str | None) -> None:
    assert key_of(header) == key


@given(st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), min_size=1, max_size=255))
def test_quotes_make_no_difference(key: str) -> None:
    assert key_of(key) == key_of(f'"{key}"') == key


@pytest.mark.parametrize(
    "header", ["", '""', '"', "a b", '"a b"', "ключ", "a\x00", "a\x7f", "x" * 256, f'"{"x" * 256}"']
)
def test_a_key_is_1_to_255_visible_ascii_characters(header: str) -> None:
    with pytest.raises(BadKey):
        key_of(header)


def test_bodies_are_the_same_whatever_the_order_of_their_members() -> None:
    assert fingerprint({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint(
        {"b": {"d": 3, "c": 2}, "a": 1}
    )


@pytest.mark.parametrize("nothing", [{}, None, b"", []])
def test_no_body_is_the_empty_object(nothing: object) -> None:
    assert fingerprint(nothing) == fingerprint({})


def test_other_bodies_are_other_bodies() -> None:
    bodies = [{}, {"a": 1}, {"a": 2}, {"a": [1, 2]}, {"a": [2, 1]}, {"b": 1}, [{"a": 1}]]
    odd = [{"a": 10**30}, {"a": 10**30 + 1}, {"a": "\ud800"}, {"a": Decimal("1.5")}, {"a": None}]

    assert len({fingerprint(body) for body in [*bodies, *odd]}) == len(bodies) + len(odd)
