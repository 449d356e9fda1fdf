"""A whole shop of its own for a test: beside a running one, on ports that are free."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.layout import PORTS, PROJECT, Layout
from deploy.local.ports import free_ports
from deploy.local.readiness import answers
from deploy.local.supervision import Supervisor

# A test run has settings of its own in its environment; a shop on trial gets the usual ones.
NOT_PASSED_ON = {
    *("DJANGO_SETTINGS_MODULE", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DEMO"),
    *("DATA_DIR", "LOG_REQUESTS", "INSTANCES"),
}


@dataclass(frozen=True)
class Trial:
    """A running shop: four services and their gateway."""

    layout: Layout
    process: "subprocess.Popen[str]"
    said: list[str]  # lines, until it was open

    @property
    def url(self) -> str:
        """The gateway's address, without a slash at its end."""
        return self.layout.url("gateway")

    def pid(self, name: str) -> int:
        """Of "orders" (several instances: "orders-1"), "gateway" ...; 0 while it does not run."""
        processes = Supervisor.of_running(self.layout).processes()
        return next((each.pid for each in processes if each.name == name), 0)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Sends the signal to a service and gives the pid that got it.

        Raises ProcessLookupError while it is not running: 0 would be this very process's group.
        """
        pid = self.pid(name)
        if pid == 0:
            raise ProcessLookupError(f"{name} is not running")
        os.kill(pid, number)
        return pid

    def is_ready(self, name: str) -> bool:
        return answers(self.layout.processes[name], "/ready")

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = 15) -> None:
        """Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} s")
            time.sleep(0.02)

    def close(self) -> int:
        """Ends the shop as Ctrl-C does and gives its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()


@contextmanager
def shop_on_trial(run: Path, **settings: str) -> Iterator[Trial]:
    """``run`` is its folder; ``settings`` go into its environment (ORDER_PROCESSING_DELAY="0.1").

    Raises RuntimeError with what the shop said when it does not start.
    """
    instances = int(settings.get("INSTANCES", "1"))
    ports = free_ports(len(PORTS), instances=instances)
    layout = Layout(ports=dict(zip(PORTS, ports, strict=True)), run=run, instances=instances)
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.local"],
        cwd=PROJECT,
        env=_environment(layout, settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        trial = Trial(layout, process, said=[])
        try:
            _wait_until_open(process, trial.said)
            yield trial
        finally:
            process.terminate()


def _environment(layout: Layout, settings: dict[str, str]) -> dict[str, str]:
    ports = {f"{name.upper()}_PORT": str(port) for name, port in layout.ports.items()}
    kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    return kept | ports | {"RUN_DIR": str(layout.run)} | settings


def _wait_until_open(process: "subprocess.Popen[str]", said: list[str]) -> None:
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("Ctrl-C"):
            return
    raise RuntimeError("".join(said))
