"""Hashes: every byte counts, off the event loop, and no queue without an end."""

import asyncio
import threading
import time
from time import perf_counter

import pytest
from django.contrib.auth.hashers import check_password

from accounts.domain import Busy
from accounts.passwords import Passwords

CYRILLIC = "пароль" * 11


async def test_the_hash_is_djangos_bcrypt_sha256(passwords: Passwords) -> None:
    encoded = await passwords.hash("correct horse")

    assert encoded.startswith("bcrypt_sha256$$2b$04$")
    assert check_password("correct horse", encoded)


@pytest.mark.parametrize("password", ["a" * 72, "a" * 73, "a" * 128, CYRILLIC[:64], "ы" * 128])
async def test_bytes_beyond_72_count(passwords: Passwords, password: str) -> None:
    encoded = await passwords.hash(password)

    assert await passwords.matches(password, encoded)
    assert not await passwords.matches(password[:-1] + "?", encoded)
    assert not await passwords.matches(password[:-1], encoded)


async def test_nobody_has_the_password_of_an_unknown_user(passwords: Passwords) -> None:
    assert not await passwords.matches("", None)
    assert not await passwords.matches("correct horse", None)


async def test_an_unknown_user_takes_as_long_as_a_known_one() -> None:
    passwords = Passwords(rounds=9, threads=1, queue=1, patience=60)
    encoded = await passwords.hash("correct horse")
    known, unknown = [], []

    for _ in range(5):
        known.append(await _seconds(passwords, encoded))
        unknown.append(await _seconds(passwords, None))

    passwords.close()
    # The quickest of each: a busy machine only ever adds to the time.
    assert 0.5 < min(unknown) / min(known) < 2


async def test_a_full_queue_refuses_at_once() -> None:
    passwords = Passwords(rounds=4, threads=1, queue=2, patience=60)

    outcomes = await asyncio.gather(
        *(passwords.hash("correct horse") for _ in range(10)), return_exceptions=True
    )

    passwords.close()
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Busy)]
    assert len(refusals) == 10 - 3
    assert all(refusal.retry_after for refusal in refusals)
    assert passwords.under_way == 0


async def test_a_wait_past_all_patience_is_refused_at_once() -> None:
    passwords = Passwords(rounds=4, threads=1, queue=200, patience=0.05)

    await passwords._run(lambda: time.sleep(0.1))
    outcomes = await asyncio.gather(
        *(passwords.hash("correct horse") for _ in range(10)), return_exceptions=True
    )

    passwords.close()
    assert 1 <= sum(isinstance(outcome, str) for outcome in outcomes) < 10
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) >= 1


async def test_the_event_loop_goes_on_while_a_password_is_hashed(passwords: Passwords) -> None:
    gate, here = threading.Event(), threading.current_thread()
    threads: list[threading.Thread] = []

    def work() -> None:
        threads.append(threading.current_thread())
        gate.wait(5)

    hashing = asyncio.create_task(passwords._run(work))
    while not threads:
        await asyncio.sleep(0.001)
    assert passwords.under_way == 1
    gate.set()
    await hashing

    assert threads[0] is not here


async def _seconds(passwords: Passwords, encoded: str | None) -> float:
    started_at = perf_counter()
    await passwords.matches("wrong horse", encoded)
    return perf_counter() - started_at
