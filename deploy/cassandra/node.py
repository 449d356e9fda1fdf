"""One Cassandra: its configuration, its process, and when it is ready."""

import ctypes
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from deploy.cassandra.java import jars, java
from deploy.cassandra.layout import Node
from deploy.local.layout import CannotStart

HERE = Path(__file__).parent
SECONDS_TO_START = 120
LAST_LINES = 12


def start(node: Node) -> "subprocess.Popen[bytes]":
    """Ctrl-C in the terminal does not reach it: it is told to stop by its parent."""
    node.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # JSON is YAML.
    (node.folder / "cassandra.yaml").write_text(json.dumps(configuration(node), indent=1))
    with node.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command(node),
            cwd=node.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # there are no threads here
        )


def configuration(node: Node) -> dict[str, Any]:
    """cassandra.yaml: what it cannot do without, and conditional writes in two round trips."""
    folder = node.folder
    return {
        "cluster_name": "store",
        "num_tokens": 1 if node.ring.size == 1 else 16,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",
        "listen_address": node.address,
        "rpc_address": node.address,
        "native_transport_port": node.ring.cql_port,
        "storage_port": node.ring.storage_port,
        **_durability(node),
        "paxos_variant": "v2",
        "auto_bootstrap": False,
        "auto_snapshot": False,
        "unlogged_batch_across_partitions_warn_threshold": 100,
        "data_file_directories": [str(folder / "data")],
        "commitlog_directory": str(folder / "commitlog"),
        "hints_directory": str(folder / "hints"),
        "saved_caches_directory": str(folder / "saved_caches"),
        "cdc_raw_directory": str(folder / "cdc_raw"),
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": node.ring.seed}],
            }
        ],
        **node.ring.options,
    }


def _durability(node: Node) -> dict[str, str | int]:
    """One copy alone answers when it is on the disk; several save each other."""
    if node.ring.size == 1:
        # As many writes as may wait for one and the same sync.
        return {"commitlog_sync": "batch", "concurrent_writes": 128}
    return {"commitlog_sync": "periodic", "commitlog_sync_period": "1000ms"}


def command(node: Node) -> list[str]:
    alone = node.ring.size == 1
    heap = node.ring.heap
    return [
        java(),
        f"-Xms{heap}",
        f"-Xmx{heap}",
        f"@{HERE / 'jvm.options'}",
        f"-Dcassandra.config=file://{node.folder / 'cassandra.yaml'}",
        f"-Dcassandra.storagedir={node.folder}",
        f"-Dlogback.configurationFile=file://{HERE / 'logback.xml'}",
        "-Dcassandra-foreground=yes",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.superuser_setup_delay_ms=0",
        f"-Dcassandra.ring_delay_ms={0 if alone else 2000}",
        "-cp",
        f"{node.folder}:{jars()}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    ]


def wait_until_ready(node: Node, process: "subprocess.Popen[bytes]") -> None:
    """Raises CannotStart, with the node's last words when it ended."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not _answers(node):
        if process.poll() is not None:
            raise CannotStart(f"Cassandra did not start. Its last words:\n{last_words(node)}")
        if time.monotonic() > deadline:
            raise CannotStart(f"Cassandra is not ready after {SECONDS_TO_START} s: {node.log}")
        time.sleep(0.1)


def last_words(node: Node) -> str:
    lines = node.log.read_text(errors="replace").splitlines() if node.log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:]) or "  (none)"


def _answers(node: Node) -> bool:
    """Whether it speaks CQL; its port opens when it does."""
    try:
        with socket.create_connection((node.address, node.ring.cql_port), timeout=2):
            return True
    except OSError:
        return False


def _end_with_parent() -> None:
    """Linux: should we be killed outright, the node does not outlive us."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
