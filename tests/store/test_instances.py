"""Several instances of a peer: who is asked, and what one that is gone costs."""

import asyncio
from collections import Counter

import httpx
import pytest

from store import vitals
from store.breaker import FAILURES_THAT_OPEN
from store.http import Peer, PeerAway

HOSTS = ("a", "b", "c")
URLS = ",".join(f"http://{host}" for host in HOSTS)


class Service:
    """Answers on three hosts; ``gone`` ones refuse connections."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.gone: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.asked.append(host)
        if host in self.gone:
            raise httpx.ConnectError("refused")
        if host in self.held:
            await self.held[host].wait()
        self.bodies.append(await request.aread())
        return httpx.Response(200, json={"host": request.headers["Host"]})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def peer(service: Service) -> Peer:
    return Peer("catalog", caller="carts", transport=httpx.MockTransport(service), url=URLS)


async def ask(peer: Peer) -> str:
    answer = await peer.call("PUT", "/things", timeout=1, json={"a": 1})
    return str(answer.value()["host"])


async def test_instances_take_turns(peer: Peer, service: Service) -> None:
    for _ in range(9):
        await ask(peer)

    assert Counter(service.asked) == dict.fromkeys(HOSTS, 3)


async def test_a_busy_one_is_not_asked_while_others_have_less_to_do(
    peer: Peer, service: Service
) -> None:
    service.held["a"] = asyncio.Event()
    slow = asyncio.create_task(ask(peer))
    await asyncio.sleep(0)

    hosts = {await ask(peer) for _ in range(6)}
    service.held["a"].set()

    assert hosts == {"b", "c"}
    assert await slow == "a"


async def test_who_refuses_the_connection_is_passed_over_with_the_same_request(
    peer: Peer, service: Service
) -> None:
    service.gone = {"a", "b"}

    assert await ask(peer) == "c"
    assert service.asked == ["a", "b", "c"]
    assert service.bodies == [b'{"a":1}']


async def test_one_that_is_gone_is_asked_now_and_then_and_no_caller_notices(
    peer: Peer, service: Service
) -> None:
    service.gone = {"b"}

    for _ in range(20 * FAILURES_THAT_OPEN):
        await ask(peer)

    assert FAILURES_THAT_OPEN <= Counter(service.asked)["b"] <= 2 * FAILURES_THAT_OPEN
    assert vitals.CIRCUIT.labels("catalog")._value.get() == 0


async def test_where_all_are_gone_the_peer_is_away_at_once(peer: Peer, service: Service) -> None:
    service.gone = set(HOSTS)
    for _ in range(FAILURES_THAT_OPEN):
        with pytest.raises(PeerAway):
            await ask(peer)
    asked = len(service.asked)

    with pytest.raises(PeerAway) as away:
        await ask(peer)

    assert not away.value.sent
    assert len(service.asked) == asked
    assert vitals.CIRCUIT.labels("catalog")._value.get() == 1


async def test_what_one_may_have_seen_is_not_told_to_another(peer: Peer, service: Service) -> None:
    service.held["a"] = asyncio.Event()

    with pytest.raises(PeerAway) as away:
        await peer.call("PUT", "/things", timeout=0.05)

    assert away.value.sent
    assert service.asked == ["a"]
