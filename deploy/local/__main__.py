"""``python -m deploy.local``: starts the shop, says where to look, stops it when told to."""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from subprocess import Popen

from deploy.local import words
from deploy.local.gateway import gateway_command
from deploy.local.layout import (
    CannotStart,
    Layout,
    check_store,
    layout_from,
    service_environment,
    services_on_cassandra,
)
from deploy.local.ports import check_ports
from deploy.local.readiness import wait_until_ready
from deploy.local.schema import make_tables
from deploy.local.secret import secret_key
from deploy.local.signals import Stopped, ignore_signals, stop_on_signals
from deploy.local.supervision import Supervisor

OPEN_FILES = 8192


def main() -> int:
    """0 when the shop was told to stop, 1 when it could not start or ended by itself."""
    stop_on_signals()
    try:
        return _run(layout_from(os.environ))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    except Stopped:
        return 0


def _run(layout: Layout) -> int:
    started_at = time.monotonic()
    check_store(os.environ, layout.instances)
    check_ports(layout)
    if os.environ.get("FRESH", "") not in {"", "0"}:
        layout.forget_data()
    layout.make_folders()
    _raise_file_limit()
    environment = service_environment(layout, secret_key=secret_key(layout))
    gateway = gateway_command(layout, environment)
    if layout.instances > 1:
        make_tables(layout, environment)
    # Not in the run folder: the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        supervisor = Supervisor(layout, control=Path(folder) / "control")
        daemon = supervisor.start(gateway, environment)
        try:
            on_cassandra = frozenset(services_on_cassandra(environment))
            missing = wait_until_ready(layout, supervisor, daemon, on_cassandra=on_cassandra)
            seconds = time.monotonic() - started_at
            print(words.open_for_business(layout, environment, seconds, missing), flush=True)
            return _watch(supervisor, daemon)
        finally:
            _end(daemon)


def _watch(supervisor: Supervisor, daemon: Popen[bytes]) -> int:
    """Says so when a process had to be started again; ends only when told to."""
    pids: dict[str, int] = {}
    while daemon.poll() is None:
        running = {each.name: each.pid for each in supervisor.processes() if each.pid}
        for name in running.keys() & pids.keys():
            if running[name] != pids[name]:
                print(f"{name} ended and was started again.", flush=True)
        pids |= running
        time.sleep(1)
    raise CannotStart("supervisord ended by itself, and the shop with it.")


def _end(daemon: Popen[bytes]) -> None:
    """Waits for the last process."""
    ignore_signals()
    daemon.terminate()
    daemon.wait()


def _raise_file_limit() -> None:
    """A connection is two open files in the gateway; many systems allow 256 or 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
