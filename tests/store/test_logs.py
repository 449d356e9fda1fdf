"""The log: one line for each request and record, whatever is in it, and never anything secret."""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from store.logs import writer as writing
from store.logs.records import Handler
from store.logs.writer import Writer, writer
from tests.store import tiny
from tests.store.connection import GONE, Connection, chunk

Entries = Callable[[], list[dict[str, Any]]]
Lines = Callable[[], list[str]]

log = logging.getLogger("some.library")


@pytest.fixture
def lines(tmp_path: Path, settings: LazySettings) -> Iterator[Lines]:
    """What was written up to now; ends the writing."""
    settings.LOG_REQUESTS = 1
    fd = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    writer.close()
    writer.open(fd)

    def written() -> list[str]:
        writer.close()
        return (tmp_path / "log").read_text().splitlines()

    yield written
    writer.close()
    os.close(fd)


@pytest.fixture
def entries(lines: Lines) -> Entries:
    return lambda: [json.loads(line) for line in lines()]


async def test_a_request_is_one_line_with_its_route_and_not_its_path(
    client: httpx.AsyncClient, entries: Entries
) -> None:
    path = "/lines/0e9d2f0a-9f7f-4a8e-8b2c-8d4d1f1c0a55?token=abc"
    await client.get(path, headers={"X-Request-ID": "request-0001"})

    [entry] = entries()
    assert entry.pop("milliseconds") > 0
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "INFO",
        "service": "catalog",
        "request_id": "request-0001",
        "method": "GET",
        "route": "/lines/{line_id}",
        "status": 200,
    }


@pytest.mark.parametrize(
    ("path", "route", "status", "level"),
    [
        ("/nowhere/secret", "unmatched", 404, "INFO"),
        ("/admin-only", "/admin-only", 401, "INFO"),
        ("/broken", "/broken", 500, "ERROR"),
        ("/%ff", "unmatched", 400, "INFO"),
    ],
)
async def test_failures_have_their_line_too(
    client: httpx.AsyncClient, entries: Entries, path: str, route: str, status: int, level: str
) -> None:
    await client.get(path)

    [entry] = [each for each in entries() if "route" in each]
    assert (entry["route"], entry["status"], entry["level"]) == (route, status, level)


async def test_a_user_is_named_by_a_hash_or_not_at_all(
    client: httpx.AsyncClient, entries: Entries, settings: LazySettings, auth: Any
) -> None:
    await client.get("/caller", headers=auth("alice"))
    await client.get("/person", headers=auth("alice"))
    await client.get("/caller", headers=auth("bob"))
    settings.LOG_USERS = "off"
    await client.get("/caller", headers=auth("alice"))

    alice, again, bob, nobody = entries()
    assert alice["user"] == again["user"] != bob["user"]
    assert len(alice["user"]) == 16
    assert "user" not in nobody


async def test_a_client_that_leaves_before_its_body_is_there_is_told_apart(
    tiny_service: None, entries: Entries
) -> None:
    await Connection("POST", "/lines", chunk(b"{", more=True), GONE).run()

    [entry] = entries()
    assert (entry["status"], entry["client_gone"]) == (499, True)


async def test_a_client_that_leaves_while_it_waits_is_told_apart(
    tiny_service: None, gate: tiny.Gate, entries: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.handler.SECONDS_OF_PATIENCE", 0)
    connection = Connection("POST", "/slow")
    running = asyncio.create_task(connection.run())
    await gate.reached.wait()
    connection.leave()
    gate.opened.set()
    await running
    await Connection("GET", "/lines").run()

    gone, there = entries()
    assert (gone["route"], gone["status"], gone["client_gone"]) == ("/slow", 200, True)
    assert "client_gone" not in there


async def test_a_stream_that_its_client_left_is_told_apart_from_one_that_ended(
    tiny_service: None, gate: tiny.Gate, entries: Entries
) -> None:
    connection = Connection("GET", "/stream")
    running = asyncio.create_task(connection.run())
    await gate.reached.wait()
    connection.leave()
    await running
    gate.opened.set()
    await Connection("GET", "/stream").run()

    left, ended = entries()
    assert left["client_gone"]
    assert "client_gone" not in ended


@pytest.mark.parametrize(("share", "logged"), [(0, []), (0.000001, [500]), (1, [200, 500])])
async def test_a_share_of_the_requests_can_be_logged_but_every_failure_is(
    client: httpx.AsyncClient,
    entries: Entries,
    settings: LazySettings,
    share: float,
    logged: list[int],
) -> None:
    settings.LOG_REQUESTS = share
    await client.get("/lines")
    await client.get("/broken")

    assert [entry["status"] for entry in entries() if "status" in entry] == logged


def test_a_record_is_one_line_whatever_is_in_it(entries: Entries) -> None:
    forged = 'x\n{"level":"ERROR","message":"forged"}\r\x1b[2J\u2028\ud800'
    log.warning("Somebody sent %s", forged)
    try:
        raise ValueError(forged)
    except ValueError:
        log.exception("It broke")

    first, second = entries()
    assert (first["level"], first["logger"]) == ("WARNING", "some.library")
    assert "forged" in first["message"]
    assert "ValueError: x\n{" in second["exception"]


def test_a_record_that_cannot_be_read_says_so(entries: Entries) -> None:
    arguments = ("no number, but hunter2",)
    record = logging.LogRecord("some.library", logging.WARNING, "", 0, "%d", arguments, None)
    Handler().handle(record)

    [entry] = entries()
    assert entry["message"] == "A record that cannot be read: TypeError"


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?password=hunter2&y=1",
        "Authorization: Bearer hunter2",
        "{'password': 'hunter2'}",
        "Cookie=hunter2",
        "amqp://user:hunter2@host/",
        "eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2",
        "token = 'hunter2'",
        "the key is a key for tests alone; long enough to be one, hunter",
    ],
)
def test_no_record_tells_a_secret(entries: Entries, text: str) -> None:
    log.warning("%s", text)

    [entry] = entries()
    assert "[hidden]" in entry["message"]
    assert "hunter2" not in entry["message"]
    assert "long enough" not in entry["message"]


def test_extras_of_a_record_stay_where_they_are(entries: Entries) -> None:
    log.warning("Hello", extra={"request": "hunter2"})

    assert "hunter2" not in str(entries())


def test_servers_speak_through_the_same_log(entries: Entries) -> None:
    for name in ("uvicorn.error", "gunicorn.error", "django.request", "asyncio"):
        logging.getLogger(name).error("Hello from %s", name)
    logging.getLogger("uvicorn.access").error("a second line for a request")

    assert [entry["logger"] for entry in entries()] == [
        "uvicorn.error",
        "gunicorn.error",
        "django.request",
        "asyncio",
    ]


async def test_for_people_it_is_short_and_still_cannot_be_forged(
    client: httpx.AsyncClient, lines: Lines, settings: LazySettings
) -> None:
    settings.LOG_FORMAT = "text"
    await client.get("/lines", headers={"X-Request-ID": "request-0001"})
    log.warning("x\n12:00:00.000 ERROR forged")
    try:
        raise ValueError("y\n12:00:00.000 ERROR forged")
    except ValueError:
        log.exception("It broke")

    request, warning, failure, *trace = lines()
    assert request.split()[1:7] == ["INFO", "catalog", "request-0001", "GET", "/lines", "200"]
    assert warning.split()[1:4] == ["WARNING", "catalog", "x\\n12:00:00.000"]
    assert failure.split()[1:5] == ["ERROR", "catalog", "It", "broke"]
    assert all(line.startswith("    ") for line in trace)


def test_an_output_that_takes_no_more_holds_nobody_up_and_what_was_lost_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "CLOSING_SECONDS", 0.1)
    reading, output = os.pipe()
    blocked = Writer()
    blocked.open(output)
    before = writing.DROPPED._value.get()

    began_at = time.monotonic()
    for _ in range(writing.MOST_WAITING + 5_000):
        blocked.write(b"x" * 200 + b"\n")
    blocked.close()
    seconds = time.monotonic() - began_at
    reader = threading.Thread(target=_read_all, args=(reading,))
    reader.start()

    assert seconds < 2
    _wait_until(lambda: writing.DROPPED._value.get() > before)
    os.close(output)
    reader.join()
    assert writing.DROPPED._value.get() - before >= 4_000


def test_an_output_that_is_gone_ends_nothing() -> None:
    reading, output = os.pipe()
    os.close(reading)
    alone = Writer()
    alone.open(output)

    alone.write(b"hello\n", is_urgent=True)
    alone.close()
    alone.open(output)
    alone.write(b"hello again\n")
    alone.close()
    os.close(output)


def _read_all(fd: int) -> None:
    while os.read(fd, 65536):
        pass
    os.close(fd)


def _wait_until(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.01)
