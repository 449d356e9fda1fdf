"""The stand-in for Cassandra's image: one node on the container's own address."""

import json
import os
import socket
import sys
from pathlib import Path

from deploy.cassandra.layout import CQL_PORT, Node, Ring
from deploy.cassandra.node import command, configuration

DATA = Path("/var/lib/cassandra")
NOBODY = 999  # the official image's user


def node(address: str) -> Node:
    """On ``address`` alone, and its own seed."""
    seed = {"parameters": [{"seeds": f"{address}:7000"}]}
    provider = {"class_name": "org.apache.cassandra.locator.SimpleSeedProvider", **seed}
    ring = Ring(
        size=1,
        cql_port=CQL_PORT,
        storage_port=7000,
        run=DATA,
        heap=os.environ["MAX_HEAP_SIZE"],
        options={"listen_address": address, "rpc_address": address, "seed_provider": [provider]},
    )
    return ring.nodes[0]


def main(word: str) -> None:
    """``started`` becomes the node, as a user without rights; ``asked`` says whether it is open."""
    address = socket.gethostbyname(socket.gethostname())
    if word == "asked":
        socket.create_connection((address, CQL_PORT), timeout=5).close()
        return
    one = node(address)
    one.folder.mkdir(exist_ok=True)
    (one.folder / "cassandra.yaml").write_text(json.dumps(configuration(one)))
    for place in (DATA, *DATA.rglob("*")):
        os.chown(place, NOBODY, NOBODY)
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    words = command(one)
    os.execv(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1])
