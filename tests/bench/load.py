"""Load on one address, and a comparison of two in rounds that take turns."""

import asyncio
import itertools
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

SERVERS_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)\b")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.+)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Server:
    """A running process and its address, without a slash at its end."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is sent again and again, and the process that answers it.

    ``callers`` take turns: their Authorization headers.
    """

    url: str
    pid: int
    headers: Mapping[str, str]
    body: bytes | None = None
    callers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second, their 99th percentile, and what each cost its process, in seconds.

    The cost is the process's own time on a core: other work on the machine, which spoils rates,
    changes it little.
    """

    per_second: float
    p99: float
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sides in rounds that alternate; a ratio belongs to one round."""

    ours: list[Rate]
    theirs: list[Rate]

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.theirs, strict=True)
        return sorted(ours.per_second / theirs.per_second for ours, theirs in pairs)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def costs(self) -> tuple[float, float]:
        """Median seconds a request, ours and theirs."""
        ours, theirs = (
            statistics.median(r.cost for r in side) for side in (self.ours, self.theirs)
        )
        return ours, theirs


class LoadFailed(RuntimeError):
    """A rate with errors in it is none."""


def asked(
    server: Server,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    callers: Sequence[str] = (),
) -> Asked:
    return Asked(server.url + path, server.pid, headers, body, callers)


def compare(ours: Asked, theirs: Asked, *, rounds: int, seconds: float) -> Compared:
    """Raises LoadFailed when either side answers with an error."""
    results: tuple[list[Rate], list[Rate]] = ([], [])
    for number in range(rounds):
        # Whoever goes second finds a warmer machine: the sides take turns in that, too.
        order = (0, 1) if number % 2 == 0 else (1, 0)
        for side in order:
            results[side].append(rate((ours, theirs)[side], seconds=seconds))
    return Compared(*results)


def rate(asked: Asked, *, seconds: float, connections: int = CONNECTIONS) -> Rate:
    """By wrk where it is installed, else by a generator in Python, which is slower than it."""
    used_before = time_used(asked.pid)
    if shutil.which("wrk"):
        found = _by_wrk(asked, seconds, connections)
    else:
        found = asyncio.run(_by_python(asked, seconds, connections))
    used = time_used(asked.pid) - used_before
    return replace(found, cost=used / (found.per_second * seconds))


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "aiohttp"


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command on one core, where the system can pin."""
    if shutil.which("taskset"):
        return ["taskset", "-c", str(core), *command]
    return list(command)


def time_used(pid: int) -> float:
    """Seconds that the process has had of the cores, as Linux counts them; 0 elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _by_wrk(asked: Asked, seconds: float, connections: int) -> Rate:
    headers = [part for name, value in asked.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", *headers]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if asked.body is not None:  # wrk reads the file once for each thread
            script.write(_lua(asked.body, asked.callers))
            script.flush()
            command += ["-s", script.name]
        done = subprocess.run(
            pinned([*command, asked.url], LOAD_CORE), capture_output=True, text=True, check=True
        )
    if broken := _ERRORS.search(done.stdout):
        raise LoadFailed(f"{asked.url}: {broken[0]}")
    rate, p99 = _RATE.search(done.stdout), _P99.search(done.stdout)
    if rate is None or p99 is None:
        raise LoadFailed(f"{asked.url}: wrk said\n{done.stdout}")
    return Rate(float(rate[1]), float(p99[1]) * _SECONDS[p99[2]])


def _lua(body: bytes, callers: Sequence[str]) -> str:
    """The script that makes wrk post for one caller after the other."""
    escaped = "".join(f"\\{byte:03d}" for byte in body)
    names = ",".join(f'"{caller}"' for caller in callers)
    return f"""
        wrk.method, wrk.body = "POST", "{escaped}"
        local callers, turn = {{{names}}}, 0
        request = function()
            turn = turn + 1
            if #callers > 0 then wrk.headers["Authorization"] = callers[turn % #callers + 1] end
            return wrk.format()
        end
    """


async def _by_python(asked: Asked, seconds: float, connections: int) -> Rate:
    taken: list[float] = []
    method = "GET" if asked.body is None else "POST"
    ends_at = time.perf_counter() + seconds
    connector = aiohttp.TCPConnector(limit=connections)

    turns = itertools.cycle({"Authorization": caller} for caller in asked.callers or ("",))

    async def ask(session: aiohttp.ClientSession) -> None:
        while (started_at := time.perf_counter()) < ends_at:
            own = next(turns) if asked.callers else {}
            async with session.request(method, asked.url, data=asked.body, headers=own) as answer:
                await answer.read()
                if answer.status >= 400:
                    raise LoadFailed(f"{asked.url}: {answer.status}")
            taken.append(time.perf_counter() - started_at)

    async with aiohttp.ClientSession(connector=connector, headers=asked.headers) as session:
        await asyncio.gather(*(ask(session) for _ in range(connections)))
    return Rate(len(taken) / seconds, sorted(taken)[len(taken) * 99 // 100])
