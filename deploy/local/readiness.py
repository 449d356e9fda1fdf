"""Waiting until every service says that it is ready, and the gateway leads there."""

import time
from http.client import HTTPConnection, HTTPException
from subprocess import Popen

from deploy.local.layout import PREFIXES, SERVICES, CannotStart, Layout
from deploy.local.supervision import Supervisor

SECONDS_TO_START = 60
LAST_LINES = 15


def wait_until_ready(layout: Layout, supervisor: Supervisor, daemon: Popen[bytes]) -> None:
    """Raises CannotStart as soon as a process ends, with its own last words."""
    deadline = time.monotonic() + SECONDS_TO_START
    waiting = {name: (layout.ports[name], "/ready") for name in SERVICES}
    waiting["gateway"] = (layout.ports["gateway"], f"{PREFIXES['catalog']}/ready")
    while waiting:
        _check_alive(layout, supervisor, daemon)
        name, (port, path) = next(iter(waiting.items()))
        if answers(port, path):
            del waiting[name]
        elif time.monotonic() > deadline:
            raise CannotStart(_still_waiting(layout, list(waiting)))
        else:
            time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """Whether somebody on this port of this machine says 200 to a GET."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
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
