"""What the twin measures of each request: the numbers that the shop keeps, by prometheus-client."""

import random
import re
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
BYTES = tuple(2.0**power for power in range(30))
_WELL_FORMED = re.compile(r"[A-Za-z0-9_.\-]{8,64}", re.ASCII)

_LABELS = ("view", "method", "transport", "status")
REQUESTS = Counter("twin_requests_total", "Requests", _LABELS)
TAKEN = Histogram("twin_request_seconds", "Durations", ("view", "method"), buckets=SECONDS)
RECEIVED = Histogram("twin_request_bytes", "Request bodies", buckets=BYTES)
SENT = Histogram("twin_response_bytes", "Response bodies", buckets=BYTES)


class Observed:
    """Plain ASGI middleware: Starlette's own kind costs a task and a stream a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counters: dict[tuple[str, ...], Any] = {}
        self._durations: dict[tuple[str, str], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        name, received = _told(scope["headers"])
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += [
                    (b"x-request-id", name),
                    (b"x-content-type-options", b"nosniff"),
                ]
            else:
                SENT.observe(len(message["body"]))
            await send(message)

        await self._app(scope, receive, sending)
        self._count(scope, status, received, perf_counter() - started_at)

    def _count(self, scope: Scope, status: int, received: int, seconds: float) -> None:
        route = scope.get("route")
        view, method = (route.path if route else "none"), scope["method"]
        key = (view, method, scope["scheme"], str(status))
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = REQUESTS.labels(*key)
            self._durations[view, method] = TAKEN.labels(view, method)
        counter.inc()
        self._durations[view, method].observe(seconds)
        RECEIVED.observe(received)


def _told(headers: list[tuple[bytes, bytes]]) -> tuple[bytes, int]:
    """The request's id, its own or a new one, and the length of its body."""
    given, length = b"", 0
    for name, value in headers:
        if name == b"x-request-id":
            given = value
        elif name == b"content-length":
            length = int(value)
    if _WELL_FORMED.fullmatch(given.decode("latin1")):
        return given, length
    return b"%032x" % random.getrandbits(128), length
