"""A thousand guesses at once gain no more than the limits say, whoever is guessed."""

import time
from collections import Counter
from statistics import median

import httpx
import pytest
from django.conf import LazySettings

from tests.contract.world import PASSWORD, World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chaos]

SETTINGS = {"LOGIN_LIMIT_ADDRESS": 100, "LOGIN_LIMIT_USER": 10}
GUESSES = 1000


async def log_in(world: World, name: str, password: str, *, address: str) -> httpx.Response:
    """From an address that the gateway names."""
    form = {"username": name, "password": password}
    return await world.client.post("/user-api/token", data=form, headers={"X-Real-IP": address})


async def guess(world: World, names: list[str], address: str) -> Counter[int]:
    answers = [
        await log_in(world, name, f"guess {number}", address=address)
        for number, name in enumerate(names)
    ]
    assert all(each.headers["Retry-After"] for each in answers if each.status_code == 429)
    return Counter(each.status_code for each in answers)


async def test_ten_guesses_of_a_thousand_at_one_user_pass(world: World) -> None:
    found = await guess(world, ["owner"] * GUESSES, "192.0.2.1")

    owner = await log_in(world, "owner", PASSWORD, address="192.0.2.2")
    assert found == {401: 10, 429: GUESSES - 10}
    assert owner.status_code == 200


async def test_a_hundred_guesses_of_a_thousand_at_a_thousand_users_pass(world: World) -> None:
    found = await guess(world, [f"user_{number}" for number in range(GUESSES)], "192.0.2.3")

    assert found == {401: 100, 429: GUESSES - 100}


async def test_a_known_and_an_unknown_user_get_the_same_answer(world: World) -> None:
    known = await log_in(world, "owner", "wrong password", address="192.0.2.4")
    unknown = await log_in(world, "nobody_here", "wrong password", address="192.0.2.4")

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize("password", ["x" * 72, "x" * 73, "ы" * 64, "x" * 128])
async def test_every_byte_of_a_password_counts(world: World, password: str) -> None:
    name = f"long_{len(password)}_{ord(password[0])}"
    person = {"username": name, "full_name": "A", "phone": "+7 999", "password": password}
    await world.ok("POST", "/user-api/users/register", json=person)

    right = await log_in(world, name, password, address="192.0.2.5")
    wrong = await log_in(world, name, password[:-1] + "z", address="192.0.2.5")

    assert (right.status_code, wrong.status_code) == (200, 401)


@pytest.mark.parametrize("length", [129, 256, 257, 100_000])
async def test_a_password_that_is_too_long_is_refused_not_cut(world: World, length: int) -> None:
    person = {"username": "too_long", "full_name": "A", "phone": "+7 999", "password": "x" * length}

    answer = await world.client.post("/user-api/users/register", json=person)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["password"])


async def test_a_known_and_an_unknown_user_cost_the_same(
    world: World, settings: LazySettings
) -> None:
    """By the time of the cores: what else the machine does cannot be seen in it."""
    settings.LOGIN_LIMIT_ADDRESS = settings.LOGIN_LIMIT_USER = 1000
    spent: dict[str, list[float]] = {"owner": [], "nobody_here": []}
    for _ in range(100):
        for name, times in spent.items():
            began_at = time.process_time()
            await log_in(world, name, "wrong password", address="192.0.2.6")
            times.append(time.process_time() - began_at)

    known, unknown = (median(times) for times in spent.values())
    print(f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms")
    assert abs(known - unknown) < 0.05 * known
