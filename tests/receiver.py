"""A receiver of traces: takes OTLP over HTTP and decodes what arrives."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Span:
    """``parent_id`` is empty for the first of a trace; ids are hexadecimal; times in ms."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    began_at: float
    milliseconds: float
    has_failed: bool
    attributes: dict[str, Any] = field(repr=False)


class Receiver:
    """``spans`` and ``resources`` are what has arrived so far."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, Any]] = []
        self.raw = b""

    def take(self, body: bytes) -> None:
        self.raw += body
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _attributes(group.resource)
            self.resources.append(resource)
            for scope in group.scope_spans:
                self.spans += [_span(resource["service.name"], span) for span in scope.spans]

    def wait_until(self, condition: Callable[[list[Span]], bool], *, seconds: float = 10) -> None:
        """Raises TimeoutError."""
        ends_at = time.monotonic() + seconds
        while not condition(list(self.spans)):
            if time.monotonic() > ends_at:
                raise TimeoutError(sorted(f"{each.service} {each.name}" for each in self.spans))
            time.sleep(0.05)


@contextmanager
def receiving(port: int = 0) -> Iterator[tuple[str, Receiver]]:
    """The address for OTEL_EXPORTER_OTLP_ENDPOINT, and what takes the spans there."""
    receiver = Receiver()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", port), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", receiver
        finally:
            server.shutdown()
            thread.join()


def tree(spans: list[Span]) -> str:
    """A trace as text: what began what, how long it took."""
    known = {span.span_id for span in spans}
    lines: list[str] = []

    def grow(parent: str, depth: int) -> None:
        children = [each for each in spans if _parent(each, known) == parent]
        for span in sorted(children, key=lambda each: each.began_at):
            note = f"  {'  ' * depth}{span.service}: {span.name} ({span.kind})"
            lines.append(f"{note:<78}{span.milliseconds:8.2f} ms")
            grow(span.span_id, depth + 1)

    grow("", 0)
    return "\n".join(lines)


def _parent(span: Span, known: set[str]) -> str:
    return span.parent_id if span.parent_id in known else ""


def _span(service: str, span: Sent) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=Sent.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        began_at=span.start_time_unix_nano / 1e6,
        milliseconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        has_failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_attributes(span),
    )


def _attributes(holder: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes
    }
