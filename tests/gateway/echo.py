"""A stand-in for a service: answers every request with what arrived."""

import json
import select
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

SLOW_SECONDS = 0.8


class Echo(ThreadingHTTPServer):
    """One server under one name; ``arrivals`` counts requests by their whole target."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Handler)
        self.name = name
        self.arrivals: Counter[str] = Counter()
        self.goes_on = threading.Event()
        self.hung_up = threading.Event()
        self.finished = threading.Event()

    @property
    def address(self) -> str:
        return f"{self.server_address[0]}:{self.server_port}"

    def __enter__(self) -> "Echo":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Echo

    def answer(self) -> None:
        self.server.arrivals[self.path] += 1
        body = self._body()
        path = self.path.partition("?")[0]
        special = {
            "/break": self._break,
            "/slow": self._slow,
            "/refuse": self._refuse,
            "/finish": self._finish,
            "/users/me/notifications/stream": self._stream,
        }
        special.get(path, lambda: self._echo(body))()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _echo(self, body: bytes) -> None:
        self._send(200, self._seen() | {"body_bytes": len(body), "filler": "x" * 2000})

    def _seen(self) -> dict[str, object]:
        return {
            "service": self.server.name,
            "method": self.command,
            "target": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
        }

    def _break(self) -> None:
        self.close_connection = True

    def _slow(self) -> None:
        time.sleep(SLOW_SECONDS)
        self._send(200, {})

    def _refuse(self) -> None:
        self._send(404, {"detail": "No such product.", "code": "product_not_found"})

    def _finish(self) -> None:
        if select.select([self.connection], [], [], 0.2)[0]:
            self.server.hung_up.set()
        self.server.finished.set()
        self._send(200, {})

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(b"data: first\n\n")
        while not self.server.goes_on.wait(0.05):
            if select.select([self.connection], [], [], 0)[0]:
                self.server.hung_up.set()
                self.close_connection = True
                return
        self._chunk(f"data: {json.dumps(self._seen())}\n\n".encode())
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _send(self, status: int, data: object) -> None:
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Request-ID", "the service's own")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length")
        return self.rfile.read(int(length)) if length else b""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silence."""
