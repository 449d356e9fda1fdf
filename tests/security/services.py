"""The four services as processes of their own, each with an environment that can be changed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from deploy.local.layout import ADDRESS_SETTINGS, PROJECT
from deploy.local.ports import free_ports
from deploy.local.processes import UVICORN
from deploy.local.readiness import answers

SECONDS_TO_START = 60


class Services:
    """Started one by one; ``folder`` takes their logs and their journals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(ADDRESS_SETTINGS, free_ports(len(ADDRESS_SETTINGS)), strict=True))
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def start(self, name: str, **settings: str) -> subprocess.Popen[bytes]:
        """With these settings and the addresses of the others, and nothing of this test run."""
        own = {ADDRESS_SETTINGS[each]: self.url(each) for each in ADDRESS_SETTINGS}
        own |= {"PATH": os.environ["PATH"], "PASSWORD_ROUNDS": "4"}
        own |= {"DJANGO_SETTINGS_MODULE": f"store.settings.{name}"}
        command = [sys.executable, "-m", "uvicorn", *UVICORN, "--port", str(self.ports[name])]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=own | settings, stdout=log, stderr=log
            )
        self._running[name] = process
        return process

    async def until_ready(self, name: str) -> None:
        async with asyncio.timeout(SECONDS_TO_START):
            while not await asyncio.to_thread(answers, self.ports[name], "/ready"):
                assert self._running[name].poll() is None, self.log(name)
                await asyncio.sleep(0.05)

    async def start_all(self, **settings: str) -> None:
        for name in self.ports:
            self.start(name, **settings)
        for name in self.ports:
            await self.until_ready(name)

    async def restart(self, name: str, **settings: str) -> None:
        """As an upgrade does it: told to stop, waited for, started with other settings."""
        process = self._running[name]
        process.terminate()
        await asyncio.to_thread(process.wait)
        self.start(name, **settings)
        await self.until_ready(name)

    def close(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()


@contextmanager
def services_in(folder: Path) -> Iterator[Services]:
    services = Services(folder)
    try:
        yield services
    finally:
        services.close()


@asynccontextmanager
async def client_of(services: Services, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=services.url(name), timeout=15) as client:
        yield client
