"""Waiting until every service says that it is ready, and the gateway leads there."""

import json
import time
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException
from subprocess import Popen

from deploy.local.layout import PREFIXES, CannotStart, Layout, service_of
from deploy.local.supervision import Supervisor

SECONDS_TO_START = 60
SECONDS_FOR_ANOTHER_INSTANCE = 15
# Cassandra may be started later than the shop, which does without it until then.
SECONDS_FOR_CASSANDRA = 10
LAST_LINES = 15


def wait_until_ready(
    layout: Layout, supervisor: Supervisor, daemon: Popen[bytes], *, on_cassandra: frozenset[str]
) -> str | None:
    """None, or why the services ``on_cassandra`` cannot use it yet; all others are ready then.

    Raises CannotStart as soon as a process ends, with its own last words.
    """
    began_at = time.monotonic()
    limit = SECONDS_TO_START + SECONDS_FOR_ANOTHER_INSTANCE * (layout.instances - 1)
    waiting = {name: (port, "/ready") for name, port in layout.processes.items()}
    waiting["gateway"] = (layout.ports["gateway"], f"{PREFIXES['catalog']}/health")
    while waiting := {name: door for name, door in waiting.items() if not answers(*door)}:
        _check_alive(layout, supervisor, daemon)
        seconds = time.monotonic() - began_at
        if seconds > SECONDS_FOR_CASSANDRA and on_cassandra.issuperset(map(service_of, waiting)):
            missing = _why_without_cassandra(layout, waiting.values())
            if missing is not None:
                return missing
        if seconds > limit:
            raise CannotStart(_still_waiting(layout, list(waiting), limit))
        time.sleep(0.05)
    return None


def _why_without_cassandra(layout: Layout, doors: Collection[tuple[int, str]]) -> str | None:
    """The catalog's reason, once all of them say that they are not ready and Cassandra is away.

    Not while they read, or put in the demo products: that comes to an end by itself.
    """
    if any(_asked(*door)[0] != 503 for door in doors):
        return None
    catalog = layout.ports["catalog"]
    status, body = _asked(catalog, "/ready")
    if status != 503 or _asked(catalog, "/system/health")[0] != 503:
        return None
    return str(json.loads(body)["detail"])


def answers(port: int, path: str) -> bool:
    """Whether somebody on this port of this machine says 200 to a GET."""
    return _asked(port, path)[0] == 200


def _asked(port: int, path: str) -> tuple[int, bytes]:
    """The status and the body of the answer; 0 when there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _check_alive(layout: Layout, supervisor: Supervisor, daemon: Popen[bytes]) -> None:
    if daemon.poll() is not None:
        raise CannotStart(f"supervisord ended at once.\n{_last_words(layout, 'supervisord')}")
    for process in supervisor.processes():
        if process.has_ended_before:
            words = _last_words(layout, process.name)
            raise CannotStart(f"{process.name} did not start. Its last words:\n{words}")


def _still_waiting(layout: Layout, names: list[str], seconds: int) -> str:
    words = "\n".join(f"{name}:\n{_last_words(layout, name)}" for name in names)
    return f"Not ready after {seconds} s: {', '.join(names)}. Last words:\n{words}"


def _last_words(layout: Layout, name: str) -> str:
    try:
        lines = (layout.logs / f"{name}.log").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:]) or "  (none)"
