"""Traces: nothing at all until they are wanted, nothing in the way once they are."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from deploy.local.ports import free_ports
from store import asgi, tracing
from store.http import Peer, PeerAway
from tests.receiver import Receiver, receiving

_ORDER = UUID("6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90")
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVE_ONE_REQUEST = """
import asyncio, sys, httpx
from store import lifespan
from store.asgi import application

async def main():
    await lifespan.startup()
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        assert (await client.get("/api/products/categories/list")).status_code == 200
    await lifespan.shutdown()

asyncio.run(main())
print(any(name.split(".")[0] == "opentelemetry" for name in sys.modules))
"""


@pytest.mark.parametrize(
    ("setting", "is_loaded"), [({}, "False"), ({"OTEL_SDK_DISABLED": "1"}, "False")]
)
def test_nothing_is_loaded_while_no_traces_are_wanted(
    setting: dict[str, str], is_loaded: str
) -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"} if setting else {}

    outcome = subprocess.run(
        [sys.executable, "-c", SERVE_ONE_REQUEST],
        env=os.environ | setting | endpoint | {"LOG_REQUESTS": "0"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert outcome.stdout.strip() == is_loaded


@pytest.fixture
def wanted(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces, as with OTEL_EXPORTER_OTLP_ENDPOINT in the environment at the start."""
    settings.TRACES = True
    settings.API_MIDDLEWARE = [*settings.API_MIDDLEWARE, "store.middleware.traced"]
    monkeypatch.setattr(asgi, "api_handler", asgi.ApiHandler())
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


@pytest.fixture
def receiver(wanted: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as (url, receiver):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        tracing.open_tracer("catalog")
        yield receiver


async def test_a_request_goes_on_with_its_callers_trace(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await client.get("/lines?token=hunter2", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    await tracing.close_tracer()

    [span] = receiver.spans
    assert (span.trace_id, span.parent_id, span.name) == (TRACE, CALLER, "GET /lines")
    assert b"hunter2" not in receiver.raw


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{CALLER}-01", "00-\u00e9-1-1"])
async def test_a_header_that_is_none_begins_a_trace_of_its_own(
    client: httpx.AsyncClient, receiver: Receiver, header: str
) -> None:
    sent = [(b"traceparent", header.encode())] if header else []
    await client.get("/lines", headers=sent)
    await tracing.close_tracer()

    [span] = receiver.spans
    assert span.parent_id == ""
    assert len(span.trace_id) == 32


async def test_what_its_caller_does_not_sample_is_not_sent(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await client.get("/lines", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})
    await tracing.close_tracer()

    assert receiver.spans == []


async def test_what_is_not_sampled_tells_whom_it_calls_and_is_not_taken_up_by_its_order(
    receiver: Receiver,
) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        return httpx.Response(200, json=[])

    peer = Peer("orders", caller="carts", transport=httpx.MockTransport(answer))
    request = RequestFactory().get("/", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})

    with tracing.tracer.request(request):
        await peer.call("GET", "/orders/", timeout=1)
        tracing.tracer.begins(_ORDER)
        logged = tracing.tracer.trace_id()
    with tracing.tracer.step("trying", _ORDER):
        await peer.call("GET", "/orders/", timeout=1)
    await tracing.close_tracer()

    assert [header[:36] for header in sent] == [f"00-{TRACE}-"] * 2
    assert [header[-3:] for header in sent] == ["-00"] * 2
    assert logged == TRACE
    assert receiver.spans == []
    assert tracing.tracer.trace_id() == ""


async def test_a_share_of_the_traces_is_kept_by_their_ids(
    client: httpx.AsyncClient, wanted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    with receiving() as (url, receiver):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        tracing.open_tracer("catalog")

        for _ in range(200):
            await client.get("/lines")
        await tracing.close_tracer()

    kept = {int(span.trace_id[16:], 16) for span in receiver.spans}
    assert 50 < len(kept) < 150
    assert max(kept) < 2**63


async def test_a_failure_is_noted_by_its_kind_and_not_in_its_words(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await client.get("/broken")  # its error says that the password is hunter2
    await client.get("/nowhere/hunter2")
    await tracing.close_tracer()

    broken, unmatched = receiver.spans
    assert (broken.has_failed, broken.attributes["error.type"]) == (True, "500")
    assert (unmatched.has_failed, unmatched.name) == (False, "GET")
    assert b"hunter2" not in receiver.raw


async def test_a_call_that_fails_is_a_failed_span_of_its_request(receiver: Receiver) -> None:
    refused = httpx.MockTransport(lambda _: httpx.Response(500))
    peer = Peer("orders", caller="carts", transport=refused)

    with pytest.raises(PeerAway), tracing.tracer.step("trying", _ORDER):
        await peer.call("GET", "/orders/", timeout=1, params={"user_id": "hunter2"})
    await tracing.close_tracer()

    call, step = receiver.spans
    assert (call.kind, call.parent_id, call.trace_id) == ("client", step.span_id, step.trace_id)
    assert (call.attributes["error.type"], step.attributes["error.type"]) == ("500", "PeerAway")
    assert b"hunter2" not in receiver.raw


async def test_a_call_for_nobody_in_particular_makes_no_trace(receiver: Receiver) -> None:
    ok = httpx.MockTransport(lambda _: httpx.Response(200, json=[]))
    peer = Peer("orders", caller="carts", transport=ok)

    await peer.call("GET", "/orders/", timeout=1)
    await tracing.close_tracer()

    assert receiver.spans == []


async def test_a_receiver_that_is_away_costs_spans_and_nothing_else(
    client: httpx.AsyncClient, wanted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    tracing.open_tracer("catalog")

    statuses = [(await client.get("/lines")).status_code for _ in range(200)]
    began_at = time.monotonic()
    await tracing.close_tracer()

    assert set(statuses) == {200}
    assert time.monotonic() - began_at < 5


def test_wanting_traces_without_the_packages_is_refused_with_a_sentence(
    wanted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "store.otel", None)

    with pytest.raises(ImproperlyConfigured, match=r"product-store\[tracing\]"):
        tracing.open_tracer("catalog")
