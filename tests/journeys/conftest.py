"""One running shop for all journeys; those that break it start their own."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.local.trial import Trial, shop_on_trial
from tests.journeys.buyers import Buyer

FAST_HASHES = {"PASSWORD_ROUNDS": "4"}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with shop_on_trial(tmp_path_factory.mktemp("shop"), **FAST_HASHES) as shop:
        yield shop
        assert shop.close() == 0


@pytest.fixture
async def gateway(running: Trial) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway, as a browser or a program outside would be."""
    async with httpx.AsyncClient(base_url=running.url, timeout=15) as client:
        yield client


@pytest.fixture
async def admin(gateway: httpx.AsyncClient) -> Buyer:
    return await Buyer.logged_in(gateway, "swagger_admin", "admin123")
