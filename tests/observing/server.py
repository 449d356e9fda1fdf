"""A real Prometheus for a test, and questions to it."""

import math
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.layout import Layout
from deploy.local.ports import free_ports
from deploy.prometheus.local import command, lay_out

WINDOW_SECONDS = 60


def tool(name: str) -> str:
    """Where ``prometheus`` or ``promtool`` is; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        is_required = os.environ.get("CI") or os.environ.get("REQUIRE_PROMETHEUS")
        (pytest.fail if is_required else pytest.skip)(f"{name} is not installed")
    return found


class Server:
    """A Prometheus that runs."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **params: Any) -> Any:
        """The data of an answer of its HTTP API."""
        answer = self._client.get(f"/api/v1/{path}", params=params)
        assert answer.status_code == 200, f"{params}: {answer.text}"
        return answer.json()["data"]

    def is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def now(self, expr: str) -> list[float]:
        """The values at this moment, NaN left out."""
        found = [float(each["value"][1]) for each in self.get("query", query=expr)["result"]]
        return [value for value in found if not math.isnan(value)]

    def lately(self, expr: str) -> list[float]:
        """The values within the last minute, NaN left out."""
        end = time.time()
        span = {"start": end - WINDOW_SECONDS, "end": end, "step": 1}
        series = self.get("query_range", query=expr, **span)["result"]
        found = [float(value) for each in series for _, value in each["values"]]
        return [value for value in found if not math.isnan(value)]


@contextmanager
def prometheus_on(layout: Layout) -> Iterator[Server]:
    """Asks the shop at ``layout`` every second."""
    tool("prometheus")
    (port,) = free_ports(1)
    words = command(lay_out(layout, every="1s"), port=port)
    with (
        (layout.logs / "prometheus.log").open("wb") as log,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        server = Server(client)
        try:
            wait_until(server.is_ready)
            yield server
        finally:
            process.terminate()


def wait_until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def promtool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command: Sequence[str | Path] = [tool("promtool"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
