"""What the process tells of itself, and the shop's own figures, measured where they arise."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from deploy.local.ports import free_ports
from orders.alarm import Alarm
from orders.domain import Destination, OutboxMessage
from orders.memory import MemoryOrders
from orders.outbox import Relay
from store import http, vitals
from store.http import PeerAway
from store.service import state
from store.tasks import Tasks


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} is not shown"
    return found


async def test_a_blocked_loop_shows_as_lag() -> None:
    over_a_tenth = value("event_loop_lag_seconds_count") - value(
        "event_loop_lag_seconds_bucket", le="0.1"
    )
    watching = asyncio.create_task(vitals.watch_the_loop())
    await asyncio.sleep(0)

    time.sleep(vitals.LOOK_EVERY_SECONDS + 0.3)  # that is the point
    await asyncio.sleep(0.05)
    watching.cancel()

    slow = value("event_loop_lag_seconds_count") - value("event_loop_lag_seconds_bucket", le="0.1")
    assert slow == over_a_tenth + 1


async def test_a_peer_without_an_answer_is_counted_as_away() -> None:
    (port,) = free_ports(1)
    async with httpx.AsyncHTTPTransport() as transport:
        url = f"http://127.0.0.1:{port}"
        peer = http.Peer("orders", caller="carts", transport=transport, url=url)
        count = {"name": "peer_call_duration_seconds_count", "peer": "orders"}
        before = value(**count, outcome="away"), value(**count, outcome="answered")

        with pytest.raises(PeerAway):
            await peer.call("GET", "/health", timeout=1)

    after = value(**count, outcome="away"), value(**count, outcome="answered")
    assert after == (before[0] + 1, before[1])


@pytest.mark.parametrize(
    ("limit", "expected"), [("1048576\n", 1048576), ("max\n", None), ("99999999999999999999", None)]
)
def test_the_memory_limit_is_the_containers_where_it_has_one(
    tmp_path: Path, limit: str, expected: int | None
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(limit)

    machine = vitals.memory_limit(())

    assert machine > 2**20
    assert vitals.memory_limit((file, tmp_path / "missing")) == (expected or machine)


async def test_a_service_is_ready_until_it_drains(shop: httpx.AsyncClient) -> None:
    assert value("service_ready") == 1

    state.is_draining = True

    assert value("service_ready") == 0


async def test_the_request_that_asks_is_not_counted_as_in_flight(shop: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(shop.get("/api/metrics") for _ in range(3)))

    for answer in answers:
        lines = answer.text.splitlines()
        assert any(line.startswith("http_requests_in_flight 0.0") for line in lines)


class Nowhere:
    """A destination that is away."""

    async def deliver(self, messages: Sequence[OutboxMessage]) -> None:
        raise PeerAway("accounts", sent=False)


async def test_the_age_of_the_oldest_message_grows_while_its_destination_is_away() -> None:
    relay = Relay(Destination.ACCOUNTS, MemoryOrders(), Nowhere(), Alarm())
    assert relay.seconds_waiting() == 0

    order_id = uuid4()
    relay.wake(order_id)
    first = relay.seconds_waiting()
    relay.wake(order_id)
    await asyncio.sleep(0.01)

    assert 0 <= first < relay.seconds_waiting()


async def test_once_delivered_nothing_is_old() -> None:
    relay, tasks = Relay(Destination.ACCOUNTS, MemoryOrders(), Nowhere(), Alarm()), Tasks()
    relay.wake(uuid4())  # of an order that has no message (any more)

    await relay.open(tasks)
    await asyncio.sleep(0.05)
    await tasks.close(seconds=0)

    assert relay.seconds_waiting() == 0
