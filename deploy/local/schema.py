"""Cassandra's tables, made once before several instances would all make them at the same time."""

import subprocess
import sys
from collections.abc import Mapping

from deploy.local.layout import PROJECT, Layout

SECONDS = 120


def make_tables(layout: Layout, environment: Mapping[str, str]) -> None:
    """Without Cassandra the instances make them when it comes; what it says is in schema.log."""
    with (layout.logs / "schema.log").open("wb") as log:
        try:
            subprocess.run(
                [sys.executable, "manage.py", "sync_cassandra"],
                cwd=PROJECT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            log.write(f"Not done after {SECONDS} s.\n".encode())
