"""``python -m deploy.cassandra [NODES]``: starts Cassandra, and stops it when told to."""

import errno
import os
import socket
import subprocess
import sys
import time
from types import TracebackType

from deploy.cassandra.java import jars, java
from deploy.cassandra.layout import Node, Ring, ring_from
from deploy.cassandra.node import last_words, start, wait_until_ready
from deploy.local.layout import CannotStart
from deploy.local.signals import Stopped, ignore_signals, stop_on_signals

SECONDS_TO_STOP = 25


class Processes:
    """The running nodes; all are stopped on the way out."""

    def __init__(self) -> None:
        self._running: dict[Node, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        return self

    def start(self, node: Node) -> None:
        """One after the other: a node joins a ring that stands."""
        self._running[node] = start(node)
        wait_until_ready(node, self._running[node])

    def watch(self) -> None:
        """Says so when one ends; ends with the last."""
        while self._running:
            for node, process in list(self._running.items()):
                if process.poll() is not None:
                    print(f"{node.address} ended by itself:\n{last_words(node)}", flush=True)
                    del self._running[node]
            time.sleep(0.5)

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        ignore_signals()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def main(size: int) -> int:
    """0 when told to stop, 1 when it could not start or ended by itself."""
    stop_on_signals()
    try:
        _run(ring_from(os.environ, size=size))
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1
    except Stopped:
        return 0
    return 1


def _run(ring: Ring) -> None:
    started_at = time.monotonic()
    for node in ring.nodes:
        _check_ports(node)
    java()
    jars()
    with Processes() as processes:
        for node in ring.nodes:
            processes.start(node)
        print(_words(ring, time.monotonic() - started_at), flush=True)
        processes.watch()


def _check_ports(node: Node) -> None:
    for port, setting in (
        (node.ring.cql_port, "CASSANDRA_PORT"),
        (node.ring.storage_port, "CASSANDRA_STORAGE_PORT"),
    ):
        try:
            socket.create_server((node.address, port)).close()
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had: {error}"
            raise CannotStart(
                f"{node.address}:{port} {reason}. Is Cassandra running already?"
                f" Another port: {setting}={port + 1000} make cassandra"
            ) from None


def _words(ring: Ring, seconds: float) -> str:
    hosts = ",".join(node.address for node in ring.nodes)
    port = "" if ring.cql_port == 9042 else f" CASSANDRA_PORT={ring.cql_port}"
    return (
        f"Apache Cassandra is ready after {seconds:.1f} s on {hosts}, port {ring.cql_port}.\n"
        f"  The shop on it  make run CASSANDRA_HOST={hosts}{port}\n"
        f"  Data, logs      {ring.run}\n"
        f"Ctrl-C stops it; its data stay."
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
