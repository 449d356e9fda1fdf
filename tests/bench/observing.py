"""``python -m tests.bench.observing``: what logs, metrics and traces cost on the fastest reads.

Every variant is a carts (or catalog) service of its own on the first core; wrk asks them in turn,
round after round, from the second. What is compared is the service's own processor time for a
request, threads of logs and traces included: it says the same on a machine that has other work.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.layout import PROJECT
from deploy.local.ports import free_ports
from deploy.local.processes import UVICORN
from deploy.local.readiness import answers
from tests import environment  # noqa: F401  # a key, and the settings of tests
from tests.receiver import receiving

NOTHING, DELIVERED = "neither logs nor metrics", "metrics, logs (as delivered)"
VARIANTS: dict[str, dict[str, str]] = {
    NOTHING: {"LOG_REQUESTS": "0", "BENCH_METRICS": "0"},
    "metrics": {"LOG_REQUESTS": "0"},
    DELIVERED: {},
    "the same, LOG_USERS=off": {"LOG_USERS": "off"},
    "the same, LOG_REQUESTS=0.1": {"LOG_REQUESTS": "0.1"},
    "the same, traces sampled 0 %": {"OTEL_TRACES_SAMPLER_ARG": "0"},
    "the same, traces sampled 10 %": {"OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "the same, traces sampled 100 %": {"OTEL_TRACES_SAMPLER_ARG": "1"},
}
# Without metrics there is no setting: the benchmark takes them out of the middleware.
SERVE = (
    "import os, sys, store.metrics, uvicorn;"
    "os.environ.get('BENCH_METRICS') == '0' and"
    " setattr(store.metrics.HttpMetrics, 'count', lambda *a, **k: None);"
    "uvicorn.main(sys.argv[1:])"
)
READS = {"cart": ("carts", "/cart/"), "product": ("catalog", "/products/{product}")}


@dataclass(frozen=True)
class Round:
    """Answers a second, and the processor time that one took, all threads together."""

    rate: float
    microseconds: int


@dataclass(frozen=True)
class Service:
    port: int
    pid: int

    def asked(self, token: str, path: str, *, seconds: int) -> Round:
        """Raises RuntimeError when an answer is not 2xx."""
        wrk = ["taskset", "-c", "1", "wrk", "-t1", "-c16", f"-d{seconds}s"]
        header = f"Authorization: Bearer {token}"
        before = self._processor_seconds()
        said = subprocess.run(
            [*wrk, "-H", header, f"http://127.0.0.1:{self.port}{path}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        spent = self._processor_seconds() - before
        answered = re.search(r"(\d+) requests in", said)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        if answered is None or rate is None or "Non-2xx" in said:
            raise RuntimeError(said)
        return Round(float(rate[1]), spent / int(answered[1]) * 1e6)

    def _processor_seconds(self) -> float:
        facts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--read", choices=READS, action="append")
    given = parser.parse_args()
    for read in given.read or READS:
        show(read, measured(read, rounds=given.rounds, seconds=given.seconds))


def cost(read: str, *, rounds: int, seconds: int) -> float:
    """P9: what full logs and metrics add to the processor time of a read, as a share of it."""
    found = measured(read, rounds=rounds, seconds=seconds, names=(NOTHING, DELIVERED))
    bare, full = (min(each.microseconds for each in found[name]) for name in (NOTHING, DELIVERED))
    return full / bare - 1


def measured(
    read: str, *, rounds: int, seconds: int, names: Sequence[str] = ()
) -> dict[str, list[Round]]:
    """The rounds of each variant, of all without ``names``."""
    with ExitStack() as stack:
        return _measured(stack, read, names or list(VARIANTS), rounds=rounds, seconds=seconds)


def _measured(
    stack: ExitStack, read: str, names: Sequence[str], *, rounds: int, seconds: int
) -> dict[str, list[Round]]:
    service, path = READS[read]
    url, _ = stack.enter_context(receiving())
    services = {
        name: stack.enter_context(serving(service, VARIANTS[name] | endpoint(name, url)))
        for name in names
    }
    asking = token_and_path(path, next(iter(services.values())).port)
    found: dict[str, list[Round]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name, asked in services.items():
            outcome = asked.asked(*asking, seconds=seconds)
            if number:  # the first is for warming up
                found[name].append(outcome)
    return found


def endpoint(name: str, url: str) -> dict[str, str]:
    if "traces" not in name:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    }


@contextmanager
def serving(service: str, settings: dict[str, str]) -> Iterator["Service"]:
    """A service on the first core; its log goes into a file."""
    [port] = free_ports(1)
    own = {"DJANGO_SETTINGS_MODULE": f"store.settings.{service}", "DEMO": "1"}
    known = {name: os.environ[name] for name in os.environ if name != "LOG_REQUESTS"}
    command = ["taskset", "-c", "0", sys.executable, "-c", SERVE, *UVICORN, "--port", str(port)]
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=known | own | settings, stdout=log, stderr=log
        )
        try:
            _wait_until_ready(port, process)
            yield Service(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    ends_at = time.monotonic() + 60
    while not answers(port, "/ready"):
        if process.poll() is not None or time.monotonic() > ends_at:
            raise RuntimeError("the service did not start")
        time.sleep(0.1)


def token_and_path(path: str, port: int) -> tuple[str, str]:
    import django

    django.setup()
    from store import tokens

    token = tokens.user_token("swagger_admin", is_admin=True)[0]
    return token, path.format(product=_product(port, token)) if "{" in path else path


def _product(port: int, token: str) -> str:
    import httpx

    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{port}/products/?limit=1"
    return str(httpx.get(url, headers=headers).json()["items"][0]["product_id"])


def show(read: str, found: dict[str, list[Round]]) -> None:
    bare = found[next(iter(VARIANTS))]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"GET {READS[read][1]}   load {load}")
    for name, rounds in found.items():
        # The least: whatever else runs on the machine only ever adds to it.
        own = min(each.microseconds for each in rounds)
        ratio = min(each.microseconds for each in bare) / own
        rates = statistics.median(each.rate for each in rounds), max(each.rate for each in rounds)
        said = "{:6.0f}/s (best {:.0f})".format(*rates)
        print(f"  {name:<31}{own:6.0f} us  {ratio:.3f}  {said}", flush=True)


if __name__ == "__main__":
    main()
