"""A shop that a check may break: real processes, real nginx, a fault proxy between the services."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import jwt

from deploy.local.layout import ADDRESS_SETTINGS, SERVICES
from deploy.local.ports import free_ports
from deploy.local.trial import Trial, shop_on_trial
from tests.chaos.proxy import FaultProxy

INSIDE = Path(__file__).parent / "inside"
JSON = dict[str, Any]
# An order lives through a check, in a few seconds where a check wants it to move.
SETTINGS = {
    "PASSWORD_ROUNDS": "4",
    "ORDER_PROCESSING_DELAY": "600",
    "ORDER_SHIPPING_DELAY": "600",
    "ORDER_DELIVERY_MIN": "600",
    "ORDER_DELIVERY_MAX": "600",
    "ORDER_RETENTION": "3600",
    "LOG_REQUESTS": "0",
}


@dataclass(frozen=True)
class Shop:
    """``key`` signs; ``proxy`` sits in front of each service as the others see it."""

    trial: Trial
    proxy: FaultProxy
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        return self.trial.url

    def address(self, service: str) -> str:
        return self.trial.layout.url(service)

    def user(self, name: str) -> dict[str, str]:
        """The headers of somebody who need not be registered."""
        return self._bearer({"sub": name, "is_admin": False, "exp": int(time.time()) + 1800})

    def admin(self) -> dict[str, str]:
        return self._bearer({"sub": "boss", "is_admin": True, "exp": int(time.time()) + 1800})

    def service(self, caller: str, callee: str) -> dict[str, str]:
        claims = {"sub": f"service:{caller}", "aud": callee, "typ": "service"}
        return self._bearer(claims | {"exp": int(time.time()) + 60})

    def _bearer(self, claims: JSON) -> dict[str, str]:
        return {"Authorization": f"Bearer {jwt.encode(claims, self.key, 'HS256')}"}

    def kill(self, service: str, number: int = signal.SIGKILL) -> int:
        return self.trial.kill(service, number)

    async def is_back(self, service: str, *, killed: int, seconds: float = 30) -> float:
        """Waits for another process that is ready, and gives the seconds that took."""
        began_at = time.monotonic()
        await asyncio.to_thread(
            self.trial.wait_until,
            lambda: self.trial.pid(service) not in (0, killed) and self.trial.is_ready(service),
            seconds=seconds,
        )
        return time.monotonic() - began_at

    def metric(self, service: str, name: str, **labels: str) -> float:
        """The sum of a family's samples that have these labels."""
        total = 0.0
        for line in self.metrics(service).splitlines():
            if re.match(rf"{name}(?:\{{|\s)", line) and all(
                f'{label}="{value}"' in line for label, value in labels.items()
            ):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def metrics(self, service: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.trial.layout.ports[service], timeout=5)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def who_said(self, status: int) -> list[str]:
        """The gateway's lines on such answers: they name the service, if it was one."""
        lines = (self.trial.layout.logs / "gateway.log").read_text().splitlines()
        return [line for line in lines if f'"status":{status},' in line]

    def logs(self) -> str:
        return "\n".join(
            file.read_text(errors="replace")
            for file in sorted(self.trial.layout.logs.glob("*.log"))
        )


@contextmanager
def shop_under_fire(
    run: Path, *, without: str = "", direct: bool = False, **settings: str
) -> Iterator[Shop]:
    """``without`` is the name of a guard that is switched off in its processes.

    With ``direct`` the services call each other without the proxy, which is slower than they are.
    """
    doors = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    inside = {"PYTHONPATH": str(INSIDE), "CHAOS_WITHOUT": without}
    inside |= (
        {}
        if direct
        else {
            f"CHAOS_{ADDRESS_SETTINGS[name]}": f"http://127.0.0.1:{doors[name]}"
            for name in SERVICES
        }
    )
    with shop_on_trial(run, **(SETTINGS | inside | settings)) as trial:
        targets = {name: trial.layout.url(name) for name in SERVICES}
        key = (run / "secret_key").read_text().strip()
        with FaultProxy(doors, targets) as proxy:
            yield Shop(trial, proxy, key)
            for name in SERVICES:
                _wake(trial, name)
            trial.close()


def _wake(trial: Trial, name: str) -> None:
    """A process that a check has paused would not hear that the shop closes."""
    if pid := trial.pid(name):
        os.kill(pid, signal.SIGCONT)


def client(*, connections: int = 200, seconds: float = 20) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=20)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def name_of_a_user() -> str:
    return f"buyer_{uuid4().hex[:12]}"
