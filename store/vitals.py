"""How a process is doing: whether it is ready, how late its loop is, what its calls bring."""

import asyncio
import os
from functools import cache
from pathlib import Path
from time import perf_counter

from prometheus_client import Gauge, Histogram

LOOK_EVERY_SECONDS = 0.25
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)

READY = Gauge("service_ready", "1 while traffic may come, 0 while it may not.")
LAG = Histogram(
    "event_loop_lag_seconds",
    "How much later than it asked the event loop wakes a task.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
MEMORY_LIMIT = Gauge(
    "process_memory_limit_bytes", "What the container may use, or the machine has."
)
PEER_CALLS = Histogram(
    "peer_call_duration_seconds",
    "Calls of other services of the shop, by whether an answer came.",
    ["peer", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ANSWERED, AWAY = "answered", "away"
CIRCUIT = Gauge(
    "peer_circuit_open", "1 while a service that does not answer is left alone.", ["peer"]
)


async def watch_the_loop() -> None:
    """Runs for ever; a few wakes a second."""
    now = asyncio.get_running_loop().time
    while True:
        asked_at = now()
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        LAG.observe(max(0.0, now() - asked_at - LOOK_EVERY_SECONDS))


class _Call:
    """Around one call; an error out of the block means that no answer came."""

    __slots__ = ("_began_at", "_durations")

    def __init__(self, durations: tuple[Histogram, Histogram]) -> None:
        self._durations = durations

    def __enter__(self) -> None:
        self._began_at = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        answered, away = self._durations
        (answered if kind is None else away).observe(perf_counter() - self._began_at)


def peer_call(peer: str) -> _Call:
    """Measures the call that is made in its block."""
    return _Call(_durations(peer))


def know_peer(peer: str) -> None:
    """Both outcomes are shown from the start: a first failure would not look like a change."""
    _durations(peer)
    circuit(peer, is_open=False)


@cache
def _durations(peer: str) -> tuple[Histogram, Histogram]:
    return PEER_CALLS.labels(peer, ANSWERED), PEER_CALLS.labels(peer, AWAY)


def circuit(peer: str, is_open: bool) -> None:
    CIRCUIT.labels(peer).set(is_open)


def memory_limit(files: tuple[Path, ...] = CONTAINER_LIMITS) -> int:
    """Bytes: the smaller of the container's limit, where there is one, and the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [file.read_text().strip() for file in files if file.exists()]
    return min([machine, *(int(limit) for limit in limits if limit.isdigit())])
