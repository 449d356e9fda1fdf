"""Two processes of accounts on one Cassandra; one is killed while it hashes a password."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.cassandra.trial import Trial
from deploy.local.layout import PROJECT
from deploy.local.ports import free_ports
from deploy.local.readiness import answers

pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(300)]

SECONDS_TO_START = 90
# Fifteen after the claim, and some for a machine that has other work.
SECONDS_UNTIL_FREE = 30
PERSON = {"full_name": "Alice Liddell", "phone": "+7 (999) 000-00-00", "password": "correct horse"}
Start = Callable[..., tuple["subprocess.Popen[bytes]", httpx.AsyncClient]]


@contextmanager
def accounts_process(
    environment: dict[str, str], log: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """One that nobody starts again, and its address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "store.asgi:application", "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not answers(port, "/ready"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture
def start(cassandra: Trial, tmp_path: Path) -> Iterator[Start]:
    """Starts an instance with further settings."""
    with ExitStack() as stack:

        def started(
            **settings: str,
        ) -> tuple["subprocess.Popen[bytes]", httpx.AsyncClient]:
            own = {"DJANGO_SETTINGS_MODULE": "store.settings.accounts", "STORE": "cassandra"}
            own |= {"CASSANDRA_KEYSPACE": "of_processes"}
            environment = dict(os.environ) | cassandra.settings | own | settings
            log = tmp_path / f"{uuid4()}.log"
            process, url = stack.enter_context(accounts_process(environment, log))
            return process, httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)

        yield started


async def test_the_name_of_an_instance_killed_while_it_hashes_is_free_again(start: Start) -> None:
    name = f"alice{uuid4().hex[:8]}"
    doomed, there = start(PASSWORD_ROUNDS="19")
    _, here = start()
    async with there, here:
        hashing = asyncio.create_task(
            there.post("/users/register", json=PERSON | {"username": name})
        )
        await asyncio.sleep(2)
        meanwhile = await here.post("/users/register", json=PERSON | {"username": name})
        doomed.kill()
        with pytest.raises(httpx.TransportError):
            await hashing

        async with asyncio.timeout(SECONDS_UNTIL_FREE):
            while True:
                again = await here.post("/users/register", json=PERSON | {"username": name})
                if again.is_success:
                    break
                await asyncio.sleep(0.5)

    assert meanwhile.json()["code"] == "username_taken"
    assert again.json()["username"] == name


async def test_a_stream_of_one_process_tells_what_the_other_was_told(
    start: Start, as_service: Callable[..., dict[str, str]]
) -> None:
    name, order = f"alice{uuid4().hex[:8]}", str(uuid4())
    (_, here), (_, there) = start(), start()
    news = {"order_id": order, "user_id": name, "status": "CREATED", "version": 1, "total": 12.5}
    news["updated_at"] = "2026-07-25T19:00:00Z"
    async with there, here:
        user = (await there.post("/users/register", json=PERSON | {"username": name})).json()
        headers = {"Authorization": f"Bearer {user['access_token']}"}
        async with here.stream("GET", "/users/me/notifications/stream", headers=headers) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            told = await there.post(
                "/users/notify/order-status", json=news, headers=as_service("orders", "accounts")
            )
            async with asyncio.timeout(3):
                while not (heard := await anext(lines)).startswith("id: "):
                    """Comments and empty lines."""
        spent = await here.get("/users/me/total-spent", headers=headers)

    assert told.json() == {"message": "Noted."}
    assert heard == f"id: {order}:1"
    assert spent.json() == {"total_spent": 12.5}
