"""Who may still guess a password, by a clock of our own."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from accounts import throttling
from accounts.domain import Busy, TooManyAtOnce, TooManyGuesses, WrongCredentials
from accounts.throttling import GuessLimits, MemoryGuesses, WrongGuesses
from tests.accounts.conftest import ON_CASSANDRA

HOME = "203.0.113.7"
ELSEWHERE = "198.51.100.9"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses() -> MemoryGuesses:
    return MemoryGuesses()


@pytest.fixture
def on_cassandra(shared: Any) -> WrongGuesses:
    found: WrongGuesses = shared.guesses
    return found


@pytest.fixture(params=["guesses", ON_CASSANDRA])
def limits(request: pytest.FixtureRequest, clock: Clock) -> GuessLimits:
    kept: WrongGuesses = request.getfixturevalue(request.param)
    return GuessLimits(kept, per_user=3, per_address=6, window=300, clock=clock)


@pytest.fixture
def limits_here(guesses: MemoryGuesses, clock: Clock) -> GuessLimits:
    """Where nothing is waited for but the password."""
    return GuessLimits(guesses, per_user=3, per_address=6, window=300, clock=clock)


async def guess(
    limits: GuessLimits,
    username: str = "alice",
    address: str = HOME,
    *,
    error: Exception | None = None,
) -> None:
    async with limits.one_guess(username, address):
        await asyncio.sleep(0)
        if error is not None:
            raise error


async def wrong(limits: GuessLimits, username: str = "alice", address: str = HOME) -> None:
    with pytest.raises(WrongCredentials):
        await guess(limits, username, address, error=WrongCredentials())


async def refused(limits: GuessLimits, username: str = "alice", address: str = HOME) -> int:
    with pytest.raises(TooManyGuesses) as refusal:
        await guess(limits, username, address)
    assert refusal.value.retry_after is not None
    return refusal.value.retry_after


async def test_so_many_wrong_guesses_and_no_more(limits: GuessLimits, clock: Clock) -> None:
    for _ in range(3):
        await wrong(limits)
    clock.now += 100

    assert await refused(limits) == 200


async def test_the_window_slides(limits: GuessLimits, clock: Clock) -> None:
    for _ in range(3):
        await wrong(limits)
        clock.now += 100

    clock.now += 1
    await wrong(limits)

    assert await refused(limits) == 99


async def test_a_name_is_one_in_any_case(limits: GuessLimits) -> None:
    for name in ("alice", "ALICE", "Alice"):
        await wrong(limits, name)

    await refused(limits, "aLiCe")


async def test_the_owner_gets_in_from_elsewhere(limits: GuessLimits) -> None:
    for _ in range(3):
        await wrong(limits)

    await guess(limits, address=ELSEWHERE)


async def test_an_address_has_a_limit_over_all_names(limits: GuessLimits) -> None:
    for number in range(6):
        await wrong(limits, f"user{number}")

    await refused(limits, "somebody-else")
    await guess(limits, "somebody-else", ELSEWHERE)


async def test_a_right_password_forgives_the_user_but_not_the_address(
    limits: GuessLimits,
) -> None:
    for _ in range(2):
        await wrong(limits)
        await wrong(limits)
        await guess(limits)
    await wrong(limits, "bob")
    await wrong(limits, "bob")

    await refused(limits, "alice")


async def test_what_was_never_checked_is_no_guess(limits: GuessLimits) -> None:
    for _ in range(10):
        with pytest.raises(Busy):
            await guess(limits, error=Busy())

    await guess(limits)


async def test_parallel_guesses_do_not_slip_past(limits_here: GuessLimits) -> None:
    outcomes = await asyncio.gather(
        *(guess(limits_here, error=WrongCredentials()) for _ in range(40)), return_exceptions=True
    )

    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(WrongCredentials) == 3
    assert kinds.count(TooManyGuesses) == 37


async def test_parallel_right_passwords_all_get_in(limits: GuessLimits) -> None:
    await asyncio.gather(*(guess(limits) for _ in range(40)))


async def test_so_many_wait_and_no_more(
    limits_here: GuessLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "WAITING_LIMIT", 5)

    outcomes = await asyncio.gather(
        *(guess(limits_here) for _ in range(20)), return_exceptions=True
    )

    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(TooManyAtOnce) == 20 - 3 - 5
    assert kinds.count(type(None)) == 3 + 5


async def test_one_address_has_so_many_logins_at_once(guesses: MemoryGuesses, clock: Clock) -> None:
    limits = GuessLimits(guesses, per_user=10, per_address=100, window=300, clock=clock)
    under_way: list[int] = []

    async def log_in(number: int) -> None:
        async with limits.one_guess(f"user{number}", HOME):
            under_way.append(number)
            await asyncio.sleep(0)
            most.append(len(under_way))
            under_way.remove(number)

    most: list[int] = []
    await asyncio.gather(*(log_in(number) for number in range(50)))

    assert max(most) == throttling.AT_ONCE
    assert len(most) == 50


async def test_nobody_waits_for_ever(limits: GuessLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "WAITING_SECONDS", 0.01)

    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(limits.one_guess("alice", HOME))
        with pytest.raises(TooManyAtOnce):
            await guess(limits)

    await guess(limits)


async def test_a_guess_that_is_cancelled_frees_its_place(limits: GuessLimits) -> None:
    async def hang() -> None:
        async with limits.one_guess("alice", HOME):
            await asyncio.Event().wait()

    hanging = [asyncio.create_task(hang()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)

    async with asyncio.timeout(1):
        await guess(limits)


async def test_memory_is_bounded(
    limits_here: GuessLimits, guesses: MemoryGuesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "KEYS_KEPT", 10)

    for number in range(50):
        await wrong(limits_here, f"user{number}", f"192.0.2.{number}")

    assert len(guesses) == 10


async def test_right_passwords_leave_nothing_behind(
    limits_here: GuessLimits, guesses: MemoryGuesses
) -> None:
    await guess(limits_here)

    assert not len(guesses)
    assert not limits_here._under_way


async def test_an_ipv6_site_is_one_address(limits: GuessLimits) -> None:
    for number in range(3):
        await wrong(limits, address=f"2001:db8:1:2::{number}")

    await refused(limits, address="2001:db8:1:2:ffff::1")
    await guess(limits, address="2001:db8:1:3::1")


async def test_an_ipv4_address_written_as_ipv6_is_itself(limits: GuessLimits) -> None:
    for _ in range(3):
        await wrong(limits, address=f"::ffff:{HOME}")

    await refused(limits, address=HOME)
