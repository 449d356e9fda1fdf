"""Where the nodes live: their addresses, ports and folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.layout import PROJECT, CannotStart, port_from

CQL_PORT = 9042
STORAGE_PORT = 7000
MAX_NODES = 9


@dataclass(frozen=True, slots=True)
class Ring:
    """``size`` nodes on 127.0.0.1, 127.0.0.2 ...; all on the same two ports."""

    size: int
    cql_port: int
    storage_port: int
    run: Path
    heap: str = "512m"
    # What cassandra.yaml says beside what every node needs.
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def nodes(self) -> list["Node"]:
        return [Node(ring=self, number=number) for number in range(1, self.size + 1)]

    @property
    def seed(self) -> str:
        return f"127.0.0.1:{self.storage_port}"


@dataclass(frozen=True, slots=True)
class Node:
    """One Cassandra; the first one is the seed that the others ask for the way."""

    ring: Ring
    number: int

    @property
    def address(self) -> str:
        return f"127.0.0.{self.number}"

    @property
    def folder(self) -> Path:
        return self.ring.run / f"node{self.number}"

    @property
    def log(self) -> Path:
        return self.folder / "system.log"


def ring_from(environment: Mapping[str, str], *, size: int) -> Ring:
    """CASSANDRA_PORT, CASSANDRA_STORAGE_PORT, CASSANDRA_HEAP and RUN_DIR place a second one."""
    if not 1 <= size <= MAX_NODES:
        raise CannotStart(f"{size} nodes? From 1 to {MAX_NODES}.")
    run = Path(environment.get("RUN_DIR") or PROJECT / ".run")
    return Ring(
        size=size,
        cql_port=port_from(environment, "CASSANDRA_PORT", CQL_PORT),
        storage_port=port_from(environment, "CASSANDRA_STORAGE_PORT", STORAGE_PORT),
        run=run.resolve() / "cassandra",
        heap=environment.get("CASSANDRA_HEAP") or "512m",
    )
