"""``python -m tests.bench.inside``: where the microseconds of each read go, without a server.

The four services in one process are asked through ASGI, one request after the other; what is told
is the process's own time on a core, the least of some rounds. ``--profile`` names the functions
in which most of it is spent, by cProfile, which makes everything slower and calls dearest of all.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings

from deploy.local.ports import free_ports
from tests.bench.servers import SECRET_KEY, SLOW_ORDERS
from tests.bench.state import Looked, fill

ROUNDS = 9
REQUESTS = 300
FUNCTIONS = 45


async def answer(application: Any, scope: dict[str, Any]) -> int:
    """The status of the answer."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(scope, receive, send)
    return int(statuses[0])


def scope_of(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """As uvicorn makes it."""
    parts = urlsplit(path)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ],
    }


async def repeat(application: Any, scope: dict[str, Any], times: int) -> None:
    for _ in range(times):
        if await answer(application, dict(scope)) != 200:
            raise RuntimeError(f"{scope['path']} answers otherwise")


async def cost(application: Any, scope: dict[str, Any]) -> float:
    """Microseconds a request."""
    costs = []
    for _ in range(ROUNDS):
        before = time.process_time()
        await repeat(application, scope, REQUESTS)
        costs.append((time.process_time() - before) / REQUESTS * 1e6)
    return min(costs)


async def profile(application: Any, scope: dict[str, Any]) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    await repeat(application, scope, REQUESTS)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(FUNCTIONS)


async def measured(names: Sequence[str], *, with_profile: bool) -> None:
    from store.asgi import application
    from store.logs.writer import writer

    writer.open(os.open(os.devnull, os.O_WRONLY))  # a line a request, as delivered
    looked = await filled(application)
    for name, (service, path) in looked.paths.items():
        if names and name not in names:
            continue
        scope = scope_of(settings.PREFIXES[service] + path, looked.headers)
        print(f"{name:12} {await cost(application, scope):6.1f} us", flush=True)
        if with_profile:
            await profile(application, scope)


async def filled(application: Any) -> Looked:
    """Through a real server in this loop, which is not asked again."""
    [port] = free_ports(1)
    config = uvicorn.Config(application, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    urls = {name: f"http://127.0.0.1:{port}{prefix}" for name, prefix in settings.PREFIXES.items()}
    return await asyncio.to_thread(fill, urls)


def main() -> None:
    os.environ |= {"SECRET_KEY": SECRET_KEY, "DEMO": "1", "PASSWORD_ROUNDS": "4", **SLOW_ORDERS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reads", nargs="*", help="as in the table; all without")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    asyncio.run(measured(given.reads, with_profile=given.profile))


if __name__ == "__main__":
    main()
