"""``python -m deploy.containers build|up|down``: the shop in containers, in three words."""

import errno
import os
import socket
import sys
import time

from deploy.containers import private
from deploy.containers.engine import Engine, engine
from deploy.containers.several import CONTAINERS, needs_tables
from deploy.local.layout import PREFIXES, PROJECT, CannotStart, port_from
from deploy.local.readiness import answers

SECONDS_TO_START = 300  # Cassandra alone takes a minute at its first start
RESTARTS = 2  # who ends again and again will not be open in five minutes, either


def main(word: str) -> int:
    """The exit status; 1 with a sentence when it cannot be done."""
    try:
        environment = private.settings(PROJECT / "deploy" / ".env", os.environ)
        compose = engine(environment)
        if word != "up":
            return compose.run(word)
        return _up(compose, port_from(environment, "GATEWAY_PORT", 80))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1


def _up(compose: Engine, port: int) -> int:
    started_at = time.monotonic()
    if not compose.container("gateway"):
        check_port(port, compose.binary)
    if needs_tables(compose.environment):
        _make_tables(compose)
    if status := compose.run("up", "--detach"):
        return status
    _wait(compose, port)
    door = f"http://localhost:{port}/" if port != 80 else "http://localhost/"
    print(f"The shop is open after {time.monotonic() - started_at:.0f} s: {door}")
    return 0


def _make_tables(compose: Engine) -> None:
    """Before the instances would, all at once. Raises CannotStart."""
    for service in CONTAINERS.values():
        words = ("--rm", "--no-deps", "-T", service, "python", "manage.py", "sync_cassandra")
        if compose.run("run", *words):
            raise CannotStart(f"The tables of {service} cannot be made; see above.")


def check_port(port: int, binary: str) -> None:
    """Raises CannotStart. Docker may have a port that needs root; podman has its user's rights."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"Port {port} is taken. Free it, or choose another"
        elif error.errno == errno.EACCES and binary == "podman":
            problem = f"Port {port} is for root alone. Choose another"
        else:
            return
        raise CannotStart(f"{problem}: GATEWAY_PORT=8090 make up") from None


def _wait(compose: Engine, port: int) -> None:
    """Until all four answer through the gateway. Raises CannotStart with who did not, and why."""
    began_at, waiting = time.monotonic(), list(CONTAINERS)
    before = {name: compose.restarts(CONTAINERS[name]) for name in waiting}
    while waiting := [name for name in waiting if not answers(port, f"{PREFIXES[name]}/ready")]:
        since = {name: compose.restarts(CONTAINERS[name]) - before[name] for name in waiting}
        ending = [name for name in waiting if since[name] >= RESTARTS]
        seconds = time.monotonic() - began_at
        if ending or seconds > SECONDS_TO_START:
            late = [CONTAINERS[name] for name in ending or waiting]
            words = "\n".join(f"{name}:\n{compose.last_words(name)}" for name in late)
            raise CannotStart(f"Not ready after {seconds:.0f} s: {', '.join(late)}\n{words}")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
