"""A Cassandra of its own for a test: beside a running one, on ports that are free."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deploy.cassandra.java import jars, java
from deploy.cassandra.layout import Node, Ring
from deploy.cassandra.node import start, wait_until_ready
from deploy.local.layout import CannotStart
from deploy.local.ports import free_ports


@dataclass
class Trial:
    """A running ring whose nodes can be killed, paused and started again."""

    ring: Ring
    processes: "dict[int, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """What leads the shop to it, by environment."""
        hosts = ",".join(node.address for node in self.ring.nodes)
        return {"CASSANDRA_HOST": hosts, "CASSANDRA_PORT": str(self.ring.cql_port)}

    def start(self, number: int = 1) -> None:
        """Starts a node (again) on its data."""
        node = self._node(number)
        if number in self.processes:
            self.processes[number].wait()
        self.processes[number] = start(node)
        wait_until_ready(node, self.processes[number])

    def signal(self, sent: int, number: int = 1) -> None:
        self.processes[number].send_signal(sent)

    def kill(self, number: int = 1) -> None:
        """Outright, as when the machine goes."""
        self.processes[number].kill()
        self.processes[number].wait()

    def _node(self, number: int) -> Node:
        return self.ring.nodes[number - 1]


def why_not() -> str | None:
    """Why there can be no Cassandra on this machine, or None."""
    try:
        java()
        jars()
    except CannotStart as problem:
        return str(problem)
    return None


@contextmanager
def cassandra_on_trial(
    run: Path, *, size: int = 1, options: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Trial]:
    """``run`` is its folder, ``options`` go into cassandra.yaml. Raises CannotStart."""
    cql_port, storage_port = free_ports(2)
    ring = Ring(size=size, cql_port=cql_port, storage_port=storage_port, run=run, options=options)
    trial = Trial(ring)
    try:
        for node in trial.ring.nodes:
            trial.start(node.number)
        yield trial
    finally:
        # Nobody wants its data any more.
        for process in trial.processes.values():
            process.kill()
            process.wait()
