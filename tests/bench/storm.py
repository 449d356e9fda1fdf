"""``python -m tests.bench.storm``: how long GET /users/me takes while others register and log in.

A real shop behind its gateway, with the password hashes it is delivered with (bcrypt, 2**12). For
so many seconds with and without a storm of registrations and logins, 20 a second.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.trial import shop_on_trial

READS_A_SECOND = 50
PERSON = {"full_name": "A Buyer", "phone": "+7 999 000", "password": "a password"}


class Storm:
    """What became of the requests: a status, and 503 and 429 without Retry-After apart."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.statuses: Counter[str] = Counter()

    async def one(self, number: int) -> None:
        """Registrations and logins in turn; every login is of a known user."""
        if number % 2:
            body = PERSON | {"username": f"storm_{uuid4().hex[:12]}"}
            answer = await self._client.post("/user-api/users/register", json=body)
        else:
            form = {"username": "swagger_user", "password": "password123"}
            answer = await self._client.post("/user-api/token", data=form)
        is_bare = answer.status_code in (429, 503) and "Retry-After" not in answer.headers
        self.statuses[f"{answer.status_code}{' without Retry-After' if is_bare else ''}"] += 1


async def reads(client: httpx.AsyncClient, token: str, *, seconds: float) -> list[float]:
    """Seconds that each took, from when it was due: a late one does not hide those behind it."""
    took: list[float] = []

    async def one(due_at: float) -> None:
        answer = await client.get("/user-api/users/me", headers={"Authorization": token})
        answer.raise_for_status()
        took.append(time.perf_counter() - due_at)

    await paced(one, rate=READS_A_SECOND, seconds=seconds)
    return took


async def paced(
    one: Callable[[float], Coroutine[Any, Any, None]], *, rate: float, seconds: float
) -> None:
    """Calls ``one(due_at)`` so many times a second, whether or not earlier ones have ended."""
    begun_at = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due_at = begun_at + number / rate
            await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            group.create_task(one(due_at))


@dataclass(frozen=True)
class Weather:
    """Seconds that the reads took, sorted, without and with the storm; what became of that."""

    calm: list[float]
    storm: list[float]
    statuses: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """How much longer the 99th percentile is."""
        return quantile(self.storm, 0.99) / quantile(self.calm, 0.99)


def quantile(ordered: list[float], share: float) -> float:
    return ordered[int(len(ordered) * share)]


def measured(*, rate: float = 20, seconds: float = 20) -> Weather:
    with TemporaryDirectory() as folder, shop_on_trial(Path(folder)) as shop:
        return asyncio.run(_weather(shop.url, rate=rate, seconds=seconds))


async def _weather(url: str, *, rate: float, seconds: float) -> Weather:
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        answer = await client.get("/user-api/swagger-admin-token")
        token = f"Bearer {answer.json()['access_token']}"
        await reads(client, token, seconds=2)  # for warming up
        calm = await reads(client, token, seconds=seconds)
        storm, numbers = Storm(client), iter(range(10**9))
        blowing = asyncio.create_task(
            paced(lambda _: storm.one(next(numbers)), rate=rate, seconds=seconds)
        )
        stormy = await reads(client, token, seconds=seconds)
        await blowing
    return Weather(sorted(calm), sorted(stormy), storm.statuses)


def lines_of(weather: Weather) -> list[str]:
    sides = {"without": weather.calm, "storm": weather.storm}
    return [
        *(
            f"{name:8} p50 {quantile(took, 0.5) * 1e3:.1f} ms, p99 {quantile(took, 0.99) * 1e3:.1f}"
            f" ms ({len(took)} reads)"
            for name, took in sides.items()
        ),
        f"registrations and logins: {dict(weather.statuses)}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=20)
    given = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"machine load before: {load}", flush=True)
    print("\n".join(lines_of(measured(rate=given.rate, seconds=given.seconds))))


if __name__ == "__main__":
    main()
