"""The panels about Cassandra, over a catalogue that is on a real node, and one that loses it."""

import os
import signal
from collections.abc import Iterator

import pytest

from deploy.cassandra.trial import Trial as Node
from deploy.cassandra.trial import cassandra_on_trial, why_not
from deploy.local.trial import Trial, shop_on_trial
from tests.observing.custom import QUICK
from tests.observing.documents import targets
from tests.observing.server import Server, wait_until
from tests.observing.test_panels import ON_CASSANDRA, values_of

pytestmark = [pytest.mark.processes, pytest.mark.cassandra]

SECONDS_TO_NOTICE = 30


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if problem := why_not():
        is_required = os.environ.get("CI") or os.environ.get("REQUIRE_CASSANDRA")
        (pytest.fail if is_required else pytest.skip)(problem)
    with cassandra_on_trial(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, node: Node) -> Iterator[Trial]:
    settings = QUICK | node.settings
    with shop_on_trial(tmp_path_factory.mktemp("on_cassandra"), **settings) as shop:
        yield shop


def test_every_panel_about_cassandra_shows_something(prometheus: Server) -> None:
    about_it = [target for target in targets() if ON_CASSANDRA in target.expr]

    empty = [str(target) for target in about_it if not values_of(target, prometheus)]

    assert len(about_it) >= 4
    assert empty == []


def test_a_node_that_hangs_is_an_alert(node: Node, watched: Trial, prometheus: Server) -> None:
    pending = 'ALERTS{alertname="CassandraAway"}'
    assert prometheus.now(pending) == []

    node.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: prometheus.now(pending) == [1], seconds=SECONDS_TO_NOTICE)
        failed = prometheus.now("sum(cassandra_failures_total)")
    finally:
        node.signal(signal.SIGCONT)

    assert failed[0] > 0
    watched.wait_until(lambda: watched.is_ready("catalog"), seconds=SECONDS_TO_NOTICE)
