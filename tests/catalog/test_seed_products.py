"""The command that fills a running catalog, against a real one in a process of its own."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import httpx
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from catalog.demo import demo_products
from store import wire

DEMO_SIZE = len(demo_products())


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def catalog_url(port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "uvicorn", "store.asgi:application", "--port", str(port)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "store.settings.catalog", "DEMO": "0"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield url
        process.terminate()


def wait_for(url: str) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        try:
            httpx.get(f"{url}/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


def seed(url: str, *, count: int = 0) -> str:
    output = StringIO()
    call_command("seed_products", url=url, count=count, stdout=output)
    return output.getvalue()


def product_count(url: str) -> int:
    categories = httpx.get(f"{url}/products/categories/list").json()
    return sum(category["product_count"] for category in categories)


def test_seeding_twice_doubles_nothing(catalog_url: str) -> None:
    first, again = seed(catalog_url, count=150), seed(catalog_url, count=200)

    assert first.startswith(f"{DEMO_SIZE + 150} products added, 0 were there already")
    assert again.startswith(f"50 products added, {DEMO_SIZE + 150} were there already")
    assert " a second." in again
    assert product_count(catalog_url) == DEMO_SIZE + 200


class Hesitant(BaseHTTPRequestHandler):
    """A catalog whose database pauses: it refuses what comes first."""

    refusals = 3

    def do_POST(self) -> None:
        products = wire.decode(self.rfile.read(int(self.headers["Content-Length"])))["products"]
        is_refused, type(self).refusals = self.refusals > 0, self.refusals - 1
        body = wire.encode({"created": len(products), "existing": 0})
        self.send_response(503 if is_refused else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The tests' output is for the tests."""


def test_a_catalog_that_refuses_for_a_moment_is_asked_again(port: int) -> None:
    with ThreadingHTTPServer(("127.0.0.1", port), Hesitant) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        told = seed(f"http://127.0.0.1:{port}", count=1000)
        server.shutdown()

    assert told.startswith(f"{DEMO_SIZE + 1000} products added")


def test_another_secret_key_is_told_apart(catalog_url: str, settings: LazySettings) -> None:
    settings.SECRET_KEY = "another key altogether, long enough to be one"

    with pytest.raises(CommandError, match="another SECRET_KEY"):
        seed(catalog_url)


def test_a_catalog_that_is_away_is_named(port: int) -> None:
    with pytest.raises(CommandError, match=f"127.0.0.1:{port} is away"):
        seed(f"http://127.0.0.1:{port}")


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(CommandError, match="--count"):
        seed("http://127.0.0.1", count=-1)
