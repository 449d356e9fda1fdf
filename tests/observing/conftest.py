"""A real shop, a real Prometheus that watches it, and some custom."""

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.trial import Trial, shop_on_trial
from tests.observing.custom import QUICK, custom
from tests.observing.server import Server, prometheus_on


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with shop_on_trial(tmp_path_factory.mktemp("watched"), **QUICK) as shop:
        yield shop
        assert shop.close() == 0


@pytest.fixture(scope="module")
def prometheus(watched: Trial) -> Iterator[Server]:
    """It has seen all kinds of custom, and four ready services before."""
    with prometheus_on(watched.layout) as server:
        watched.wait_until(lambda: server.now("sum(service_ready)") == [4])
        asyncio.run(custom(watched.url))
        yield server
