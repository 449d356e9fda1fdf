"""When a peer is left alone, and when it is asked again."""

import httpx
import pytest

from store.breaker import Breaker
from store.http import Peer, PeerAway
from store.vitals import CIRCUIT


class Time:
    now = 100.0


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(most=3, pause=1.0, now=lambda: Time.now)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_opens_at_the_last_failure_and_not_before(breaker: Breaker) -> None:
    fail(breaker, 2)
    before = breaker.admits()
    fail(breaker, 1)

    assert (before, breaker.admits()) == (True, False)


def test_a_success_between_failures_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)

    assert breaker.admits()


def test_an_open_one_admits_one_probe_in_each_pause(
    breaker: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(breaker, 3)
    monkeypatch.setattr(Time, "now", 101.0)
    first, second = breaker.admits(), breaker.admits()
    monkeypatch.setattr(Time, "now", 102.0)

    assert (first, second, breaker.admits()) == (True, False, True)


def test_a_probe_that_succeeds_lets_everyone_in_again(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.succeeded()

    assert not breaker.is_open
    assert [breaker.admits() for _ in range(5)] == [True] * 5


async def test_a_peer_that_hangs_is_asked_ten_times_then_nobody_waits_for_it() -> None:
    asked: list[httpx.Request] = []

    def hangs(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ReadTimeout("no answer")

    peer = Peer("catalog", caller="carts", transport=httpx.MockTransport(hangs))
    sent = []
    for _ in range(50):
        with pytest.raises(PeerAway) as away:
            await peer.call("GET", "/x", timeout=1)
        sent.append(away.value.sent)

    assert len(asked) == 10
    assert sent == [True] * 10 + [False] * 40
    assert CIRCUIT.labels("catalog")._value.get() == 1


async def test_a_peer_that_says_no_is_there() -> None:
    says = httpx.MockTransport(lambda _: httpx.Response(503))
    peer = Peer("catalog", caller="carts", transport=says)

    for _ in range(50):
        with pytest.raises(PeerAway) as away:
            await peer.call("GET", "/x", timeout=1)

    assert away.value.sent
