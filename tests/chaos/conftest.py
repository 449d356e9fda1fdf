"""The shop under fire, and the figures of each check for the page of results."""

import os
import platform
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from deploy.cassandra.trial import cassandra_on_trial
from tests.chaos.history import History
from tests.chaos.shop import Shop, client, shop_under_fire

FIGURES: list[str] = []


def on_cassandra() -> bool:
    """``make chaos STORE=cassandra``: the catalogue is in a Cassandra of its own."""
    return os.environ.get("CHAOS_STORE") == "cassandra"


@pytest.fixture(scope="session", autouse=True)
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if not on_cassandra():
        yield
        return
    run = tmp_path_factory.mktemp("cassandra")
    with cassandra_on_trial(run) as node, pytest.MonkeyPatch.context() as patch:
        for name, value in node.settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def is_long() -> bool:
    """``make chaos-long``: the numbers of the specification instead of some of them."""
    return os.environ.get("CHAOS_LONG", "0") not in ("", "0")


@pytest.fixture(scope="session")
def seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or int.from_bytes(os.urandom(3), "big"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_under_fire(tmp_path_factory.mktemp("fire")) as shop:
        yield shop


@pytest.fixture(scope="module")
def fast_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Without proxies, for what is about numbers."""
    with shop_under_fire(tmp_path_factory.mktemp("fast"), direct=True) as shop:
        yield shop


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").proxy.heal()


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with client() as session:
        yield session


@pytest.fixture
def history() -> History:
    return History()


class Figures:
    """What a check did, in numbers."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, check: str, **numbers: object) -> None:
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in numbers.items())
        FIGURES.append(f"{check}: {words}; seed {self.seed}")


@pytest.fixture
def figures(seed: int) -> Figures:
    return Figures(seed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section(f"figures, {os.cpu_count()} cores, {platform.machine()}")
        for line in FIGURES:
            terminalreporter.write_line(line)
