"""Servers for a benchmark: uvicorn as ``make run`` starts it, on one core that they share."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from deploy.local.layout import PROJECT, SERVICES
from deploy.local.ports import free_ports
from deploy.local.processes import UVICORN
from tests.bench.load import SERVERS_CORE, Server, pinned

URL_SETTINGS = {
    "catalog": "BACKEND_URL",
    "carts": "CART_SERVICE_URL",
    "orders": "ORDER_SERVICE_URL",
    "accounts": "USER_SERVICE_URL",
}
SLOW_ORDERS = {"ORDER_PROCESSING_DELAY": "3600"}
SECRET_KEY = "a key for benchmarks on this machine and nowhere else at all"
SECONDS_TO_START = 120


@contextmanager
def server(app: str, *, ready: str, port: int = 0, **settings: str) -> Iterator[Server]:
    """Serves the ASGI application ``app``, and is there once ``ready`` answers 200."""
    port = port or free_ports(1)[0]
    environment = {**os.environ, "SECRET_KEY": SECRET_KEY, **settings}
    command = [sys.executable, "-m", "uvicorn", app, *UVICORN[1:], "--port", str(port)]
    with subprocess.Popen(
        pinned(command, SERVERS_CORE),
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,  # where a line a request goes
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(process, url + ready)
            yield Server(url, process.pid)
        finally:
            process.terminate()


@contextmanager
def services(**settings: str) -> Iterator[dict[str, Server]]:
    """The four services by name, without a gateway. Their orders stay as they are."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    addresses = {URL_SETTINGS[name]: url for name, url in urls.items()}
    running = {}
    with ExitStack() as stack:
        for name, port in ports.items():
            shop = {"DJANGO_SETTINGS_MODULE": f"store.settings.{name}", "DEMO": "1"}
            own = {**shop, **SLOW_ORDERS, **addresses, **settings}
            one = server("store.asgi:application", ready="/ready", port=port, **own)
            running[name] = stack.enter_context(one)
        yield running


@contextmanager
def bare(body: bytes, folder: Path) -> Iterator[Server]:
    """The bare application with ``body``."""
    file = folder / "body"
    file.write_bytes(body)
    with server("tests.bench.bare:app", ready="/", BENCH_BODY=str(file)) as limit:
        yield limit


def resident(pid: int) -> int:
    """Bytes of memory that a process holds, by Linux' count of pages."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not get ready.")
