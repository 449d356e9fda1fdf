"""What each service starts with, and what it then is: demo mode on and off, keys of three kinds."""

import asyncio
import os
import sys
from itertools import product
from pathlib import Path

import httpx
import pytest

from deploy.local.layout import PROJECT, SERVICES
from tests.security.services import services_in

GOOD = "a key for one start; it is long enough to be one"
BAD = {"supersecretkey123": "publicly known", "short": "shorter than 32 bytes", "": "not set"}
COMMANDS = (["check", "--deploy", "--fail-level", "WARNING"], ["create_admin", "boss"])


async def ended(
    service: str, command: list[str], *, runs: asyncio.Semaphore, **settings: str
) -> tuple[int, str]:
    """Exit status and words of a process that was given these settings and no others."""
    own = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": f"store.settings.{service}"}
    async with runs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            cwd=PROJECT,
            env=own | settings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        words, _ = await process.communicate()
    return process.returncode or 0, words.decode()


@pytest.mark.timeout(300)
async def test_a_bad_key_ends_every_service_with_one_sentence() -> None:
    runs = asyncio.Semaphore(2)
    tried = list(product(SERVICES, ("0", "1"), BAD))

    ends = await asyncio.gather(
        *(
            ended(service, ["-c", "import store.asgi"], runs=runs, DEMO=demo, SECRET_KEY=key)
            for service, demo, key in tried
        )
    )

    for (service, demo, key), (status, words) in zip(tried, ends, strict=True):
        assert status != 0, (service, demo, key)
        assert BAD[key] in words
        assert words.count("\n") == 1
        assert "Make one: python -c" in words


@pytest.mark.parametrize("command", COMMANDS, ids=["check", "create_admin"])
async def test_a_command_without_a_key_says_so_in_one_sentence(command: list[str]) -> None:
    status, words = await ended("accounts", ["manage.py", *command], runs=asyncio.Semaphore())

    assert status == 1
    assert words.startswith("SECRET_KEY is not set.")
    assert words.count("\n") == 1


@pytest.mark.parametrize("service", SERVICES)
async def test_djangos_check_for_deployment_has_nothing_to_say(service: str) -> None:
    command = ["manage.py", *COMMANDS[0]]

    status, words = await ended(
        service, command, runs=asyncio.Semaphore(), SECRET_KEY="q8Zr-Lw5_" * 6 + "xyMNOP"
    )

    assert status == 0, words
    assert "no issues" in words


async def test_djangos_check_for_deployment_would_say_something() -> None:
    status, words = await ended(
        "orders", ["manage.py", *COMMANDS[0]], runs=asyncio.Semaphore(), SECRET_KEY="x" * 40
    )

    assert status == 1
    assert "security.W009" in words


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.parametrize("demo", ["0", "1"])
async def test_demo_mode_shows_in_every_answer_and_in_the_log_or_nowhere(
    tmp_path: Path, demo: str
) -> None:
    with services_in(tmp_path) as services:
        await services.start_all(DEMO=demo, SECRET_KEY=GOOD)
        async with httpx.AsyncClient() as client:
            seen = {
                name: await client.get(f"{services.url(name)}/health") for name in services.ports
            }
            token = await client.get(f"{services.url('accounts')}/swagger-admin-token")
            carts = await client.get(f"{services.url('carts')}/carts/", headers={"admin": "true"})

    on = demo == "1"
    for name, answer in seen.items():
        assert answer.headers.get("X-Store-Demo") == ("1" if on else None)
        assert ("Demo mode" in services.log(name)) is on
        assert "server" not in answer.headers
    assert [token.status_code, carts.status_code] == ([200, 200] if on else [404, 401])
