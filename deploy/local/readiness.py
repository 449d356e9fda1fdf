"""Waiting until every service says that it is ready, and the gateway leads there."""

import json
import time
from http.client import HTTPConnection, HTTPException
from subprocess import Popen

from deploy.local.layout import PREFIXES, SERVICES, CannotStart, Layout
from deploy.local.supervision import Supervisor

SECONDS_TO_START = 60
# Cassandra may be started later than the shop, which does without it until then.
SECONDS_FOR_CASSANDRA = 10
LAST_LINES = 15


def wait_until_ready(
    layout: Layout, supervisor: Supervisor, daemon: Popen[bytes], *, is_on_cassandra: bool
) -> str | None:
    """None, or why the catalog cannot use Cassandra yet; everything else is ready then.

    Raises CannotStart as soon as a process ends, with its own last words.
    """
    began_at = time.monotonic()
    waiting = {name: (layout.ports[name], "/ready") for name in SERVICES}
    waiting["gateway"] = (layout.ports["gateway"], f"{PREFIXES['catalog']}/health")
    while waiting := {name: door for name, door in waiting.items() if not answers(*door)}:
        _check_alive(layout, supervisor, daemon)
        seconds = time.monotonic() - began_at
        if is_on_cassandra and list(waiting) == ["catalog"] and seconds > SECONDS_FOR_CASSANDRA:
            port, path = waiting["catalog"]
            status, body = _asked(port, path)
            # Not while it reads, or puts in the demo products: that comes to an end by itself.
            if status == 503 and _asked(port, "/system/health")[0] == 503:
                return str(json.loads(body)["detail"])
        if seconds > SECONDS_TO_START:
            raise CannotStart(_still_waiting(layout, list(waiting)))
        time.sleep(0.05)
    return None


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


def _still_waiting(layout: Layout, names: list[str]) -> str:
    words = "\n".join(f"{name}:\n{_last_words(layout, name)}" for name in names)
    return f"Not ready after {SECONDS_TO_START} s: {', '.join(names)}. Last words:\n{words}"


def _last_words(layout: Layout, name: str) -> str:
    try:
        lines = (layout.logs / f"{name}.log").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:]) or "  (none)"
