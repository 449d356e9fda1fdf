"""What only accounts on Cassandra has to promise: several instances, crashes, live news."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.domain import (
    Busy,
    OrderStatus,
    OrderUpdate,
    TooManyGuesses,
    UsernameTaken,
    WrongCredentials,
)
from accounts.throttling import GuessLimits
from tests.accounts.conftest import NOW, applicant, shared_on, update
from tests.node import opened

pytestmark = pytest.mark.cassandra

HOME = "203.0.113.7"
PATH = (
    OrderStatus.CREATED,
    OrderStatus.PROCESSING,
    OrderStatus.SHIPPING,
    OrderStatus.DELIVERED,
)


async def add(instance: Any, username: str = "alice") -> Any:
    await instance.repository.claim(username)
    return await instance.repository.confirm(applicant(username), "a hash", now=NOW)


async def within(most: float, condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(most):
        while not await condition():
            await asyncio.sleep(0.02)


async def told(instances: Any, news: list[OrderUpdate]) -> list[bool]:
    """Tells each step to one of the instances, again until it is taken."""

    async def one(number: int, step: OrderUpdate) -> bool:
        while True:
            try:
                taken: bool = await instances[number % 2].repository.record(step, now=NOW)
            except Exception as error:
                if type(error).__name__ != "OutcomeUnknown":
                    raise
            else:
                return taken

    return await asyncio.gather(*(one(number, step) for number, step in enumerate(news)))


async def test_one_of_forty_claims_in_two_instances_wins(shared: Any, other: Any) -> None:
    names = ["alice", "ALICE", "Alice", "aLiCe"] * 10
    stores = [(shared, other)[number % 2].repository for number in range(40)]

    claims = await asyncio.gather(
        *(store.claim(name) for store, name in zip(stores, names, strict=True)),
        return_exceptions=True,
    )
    winner = claims.index(None)
    user = await stores[winner].confirm(applicant(names[winner]), "a hash", now=NOW)

    assert claims.count(None) == 1
    assert sum(isinstance(claim, UsernameTaken) for claim in claims) == 39
    assert await other.repository.find("alice") == user
    assert await shared.repository.get(names[winner]) == user


async def test_the_name_of_an_instance_that_died_is_free_again(shared: Any, bridge: Any) -> None:
    doomed = await opened(shared_on(bridge, claim_seconds=2))
    await doomed.repository.claim("alice")
    with pytest.raises(UsernameTaken):
        await shared.repository.claim("alice")
    await doomed.close()

    async def is_free() -> bool:
        try:
            await shared.repository.claim("Alice")
        except UsernameTaken:
            return False
        return True

    await within(5, is_free)
    assert (await shared.repository.confirm(applicant("Alice"), "a hash", now=NOW)).id


async def test_a_claim_that_has_run_out_makes_no_user(shared: Any, other: Any, bridge: Any) -> None:
    late = await opened(shared_on(bridge, claim_seconds=1))
    await late.repository.claim("alice")
    await asyncio.sleep(1.5)
    user = await add(other, "Alice")

    with pytest.raises(Busy):
        await late.repository.confirm(applicant("alice"), "another hash", now=NOW)
    await late.repository.abandon("alice")

    assert await shared.repository.find("alice") == user
    await late.close()


async def test_a_user_is_never_let_go(shared: Any) -> None:
    await shared.repository.claim("alice")
    mark = dict(shared.repository._people._marks)
    user = await shared.repository.confirm(applicant(), "a hash", now=NOW)
    shared.repository._people._marks.update(mark)

    await shared.repository.abandon("alice")

    assert await shared.repository.get("alice") == user


async def test_ids_of_two_instances_differ_and_all_are_listed(shared: Any, other: Any) -> None:
    names = [f"user{number}" for number in range(50)]

    users = await asyncio.gather(
        *(add((shared, other)[number % 2], name) for number, name in enumerate(names))
    )
    listed, page = [], await other.repository.page(limit=7)
    while page:
        listed += page
        page = await other.repository.page(after=page[-1].id, limit=7)

    assert {user.username for user in listed} == set(names)
    assert [user.id for user in listed] == sorted({user.id for user in users})
    assert {len(user.id) for user in users} == {8}


async def test_who_never_came_to_be_is_no_gap_in_a_page(shared: Any, bridge: Any) -> None:
    first = await add(shared, "alice")
    await bridge.ask("index_user", 0, 2, "nobody")
    shared.repository._people._ids._mine.remove(2)
    second = await add(shared, "bob")

    assert await shared.repository.page(limit=2) == [first, second]


async def test_ids_go_on_in_the_next_bucket(shared: Any, bridge: Any) -> None:
    shared.repository._people._ids._mine = [2001, 999]
    await bridge.ask("take_ids", 2002, "users", None)

    users = [await add(shared, name) for name in ("alice", "bob")]

    assert await shared.repository.page(limit=5) == users
    assert await shared.repository.page(after="00000999", limit=5) == users[1:]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_news_told_five_times_to_two_instances_count_once(
    shared: Any, other: Any, seed: int
) -> None:
    chance = random.Random(seed)
    await add(shared)
    lives = []
    for _ in range(4):
        order, total = uuid4(), f"{chance.randint(1, 10**6)}.{chance.randint(10, 99)}"
        path = PATH[: chance.randint(1, 4)]
        if path[-1] is not OrderStatus.DELIVERED and chance.random() < 0.5:
            path += (OrderStatus.CANCELLED,)
        lives.append(
            [update(n, status, order_id=order, total=total) for n, status in enumerate(path, 1)]
        )
    sent = [step for life in lives for step in life] * 5
    chance.shuffle(sent)

    answers = await told((shared, other), sent)

    user = await other.repository.get("alice")
    lasting = [life for life in lives if life[-1].status is not OrderStatus.CANCELLED]
    assert user.total_spent == sum((life[0].total for life in lasting), Decimal(0))
    steps = await shared.repository.updates("alice")
    assert len(steps) == len({step.event_id for step in steps}) == sum(answers)
    records = await shared.repository.orders([life[0].order_id for life in lives])
    assert {life[0].order_id: len(life) for life in lives} == {
        order_id: record.version for order_id, record in records.items()
    }


async def test_a_step_whose_answer_was_lost_is_taken_once(
    shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch happens, and nobody hears of it."""
    from store.cassandra.bridge import OutcomeUnknown

    await add(shared)
    bridge = shared._bridge
    together, lost = bridge.together, []

    async def loses_the_first(name: str, parts: Any) -> Any:
        answer = await together(name, parts)
        if not lost:
            lost.append(name)
            raise OutcomeUnknown
        return answer

    monkeypatch.setattr(bridge, "together", loses_the_first)
    step = update()

    assert await shared.repository.record(step, now=NOW)
    assert not await shared.repository.record(step, now=NOW)
    assert lost == ["count_news"]
    assert (await shared.repository.get("alice")).total_spent == Decimal(100)
    assert list(await shared.repository.updates("alice")) == [step]


@pytest.mark.parametrize("statement", ["claim_name", "confirm_name", "change_user"])
async def test_a_conditional_write_whose_answer_was_lost_is_settled(
    shared: Any, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    from store.cassandra.bridge import OutcomeUnknown

    bridge = shared._bridge
    ask, lost = bridge.ask, []

    async def loses(name: str, *values: object) -> Any:
        answer = await ask(name, *values)
        if name == statement:
            lost.append(name)
            raise OutcomeUnknown
        return answer

    monkeypatch.setattr(bridge, "ask", loses)
    await add(shared)
    user = await shared.repository.change("alice", full_name=None, phone="00000")

    assert user.phone == "00000"
    assert lost == [statement]


async def test_what_is_heard_of_strangers_ends_and_what_is_heard_of_users_does_not(
    shared: Any, bridge: Any
) -> None:
    async def seconds_left(username: str) -> int | None:
        text = "SELECT TTL(spent) FROM store.news WHERE username = %s AND kind = 'sum'"
        rows = await asyncio.to_thread(bridge._session.execute, text, [username])
        found: int | None = rows.one()["ttl(spent)"]
        return found

    await shared.repository.record(update(), now=NOW)
    as_a_stranger = await seconds_left("alice")
    await add(shared)
    await shared.repository.record(update(), now=NOW)

    assert as_a_stranger is not None
    assert 29 * 86400 < as_a_stranger <= 30 * 86400
    assert await seconds_left("alice") is None


async def test_no_more_outcomes_are_told_by_two_instances_than_by_one(
    shared: Any, other: Any
) -> None:
    limits = [
        GuessLimits(each.guesses, per_user=5, per_address=50, window=300, clock=lambda: 1e9)
        for each in (shared, other)
    ]

    async def guess(number: int) -> None:
        async with limits[number % 2].one_guess("alice", HOME):
            await asyncio.sleep(0.01)
            raise WrongCredentials

    outcomes = await asyncio.gather(*map(guess, range(40)), return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    told_wrong = kinds.count(WrongCredentials)

    assert told_wrong <= 5
    assert sum(issubclass(kind, TooManyGuesses) for kind in kinds) == 40 - told_wrong
    for each in limits:
        with pytest.raises(TooManyGuesses):
            async with each.one_guess("ALICE", HOME):
                pytest.fail("The right password is not told either.")
        async with each.one_guess("alice", "198.51.100.9"):
            """The owner elsewhere still gets in."""


async def test_a_right_password_there_forgives_here(shared: Any, other: Any) -> None:
    here, there = (
        GuessLimits(each.guesses, per_user=2, per_address=50, window=300, clock=lambda: 1e9)
        for each in (shared, other)
    )

    for _ in range(3):
        with pytest.raises(WrongCredentials):
            async with here.one_guess("alice", HOME):
                raise WrongCredentials
        async with there.one_guess("alice", HOME):
            """It was right."""


async def test_a_stream_hears_within_a_second_what_another_instance_was_told(
    shared: Any, other: Any
) -> None:
    await add(shared)
    await other.repository.record(update(), now=NOW)
    subscription = shared.streams.subscribe("alice")
    await shared.streams.begin("alice")
    order = uuid4()
    news = [update(version, status, order_id=order) for version, status in enumerate(PATH, 1)]

    heard = []
    for number, step in enumerate(news):
        instance = (shared, other)[number % 2]
        await instance.repository.record(step, now=NOW)
        instance.streams.publish(step)
        heard.append(await subscription.next(within=2))

    assert heard == news
    assert await subscription.next(within=1.5) is None


async def test_nothing_is_kept_of_a_person_who_listens_no_more(shared: Any) -> None:
    subscription = shared.streams.subscribe("alice")
    await shared.streams.begin("alice")

    shared.streams.unsubscribe("alice", subscription)

    assert not shared.streams._told
