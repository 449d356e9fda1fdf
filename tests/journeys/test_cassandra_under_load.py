"""The whole shop on a real Cassandra: the catalog or the node dies while people buy."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.cassandra.drill import Load, settled
from deploy.cassandra.trial import Trial as Ring
from deploy.cassandra.trial import cassandra_on_trial
from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.conftest import FAST_HASHES

# What is begun comes to an end before its time is over.
pytestmark = [pytest.mark.processes, pytest.mark.cassandra, pytest.mark.timeout(300)]

ADMIN = {"admin": "true"}  # of demo mode
BUYERS = 16
SECONDS_TO_SAY_SO = 1.5  # one, and what a busy machine adds
SECONDS_TO_RECOVER = 10
# How fast, a busy machine decides; that it comes to an end is what is promised.
SECONDS_TO_AN_END = 60
SECONDS_TO_SETTLE = 40


@pytest.fixture(scope="module")
def ring(can_have_cassandra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    with cassandra_on_trial(tmp_path_factory.mktemp("node")) as ring:
        yield ring


@pytest.fixture(scope="module")
def running(ring: Ring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    run: Path = tmp_path_factory.mktemp("on_cassandra")
    with shop_on_trial(run, **ring.settings, **FAST_HASHES) as shop:
        yield shop
        assert shop.close() == 0


def asked(running: Trial, path: str) -> tuple[int, float]:
    """The status of an answer of the gateway, and how many seconds it took."""
    began_at = time.monotonic()
    status = httpx.get(f"{running.url}{path}", headers=ADMIN, timeout=15).status_code
    return status, time.monotonic() - began_at


def until(condition: Callable[[], bool], *, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, f"not within {seconds} s"
        time.sleep(0.1)


def test_a_catalog_killed_under_load_loses_no_acknowledged_order(ring: Ring, running: Trial):
    with Load(running.url, BUYERS, pause=0.2, patience=SECONDS_TO_AN_END) as load:
        for _ in range(2):
            time.sleep(2)
            killed = running.kill("catalog")
            running.wait_until(lambda old=killed: running.pid("catalog") not in (0, old))
            running.wait_until(lambda: running.is_ready("catalog"))
        time.sleep(2)

    assert load.tally.bought
    assert load.tally.given_up == 0
    assert settled(running, ring, load, seconds=SECONDS_TO_SETTLE) == []


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_without_cassandra_the_gateway_says_so_in_a_second_and_goes_on_when_it_is_back(
    ring: Ring, running: Trial, sent: signal.Signals
):
    catalog = running.pid("catalog")
    with Load(running.url, BUYERS, pause=0.2, patience=SECONDS_TO_AN_END) as load:
        time.sleep(1)
        ring.signal(sent)
        until(lambda: asked(running, "/api/system/health")[0] == 503, seconds=3)
        answers = [asked(running, f"/api/products/{load.products[0]}") for _ in range(5)]
        others = [asked(running, f"{prefix}/health")[0] for prefix in ("/cart-api", "/order-api")]
        if sent == signal.SIGSTOP:
            ring.signal(signal.SIGCONT)
        else:
            ring.start()
        until(lambda: asked(running, "/api/system/health")[0] == 200, seconds=SECONDS_TO_RECOVER)
        until(lambda: running.is_ready("catalog"), seconds=SECONDS_TO_RECOVER)
        bought = len(load.tally.bought)
        until(lambda: len(load.tally.bought) > bought, seconds=SECONDS_TO_RECOVER)

    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < SECONDS_TO_SAY_SO
    assert others == [200, 200]
    assert running.pid("catalog") == catalog
    assert load.tally.given_up == 0
    assert settled(running, ring, load, seconds=SECONDS_TO_SETTLE) == []
