"""Past what can be done at once the answer is 503, and the process can still be watched."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from django.conf import LazySettings
from prometheus_client import REGISTRY

from store.admission import Admission, Overloaded

Headers = dict[str, str]


def test_who_comes_past_the_limit_is_sent_away_until_somebody_leaves(
    settings: LazySettings,
) -> None:
    settings.MAX_REQUESTS_IN_FLIGHT = 1
    admission = Admission()

    with admission.entered("/cart/"):
        with pytest.raises(Overloaded), admission.entered("/cart/"):
            pytest.fail("let in")
        with admission.entered("/health"):
            pass
    with admission.entered("/cart/"):
        pass


async def test_the_answer_is_503_with_a_time_to_come_back(
    shop: httpx.AsyncClient, auth: Callable[..., Headers], settings: LazySettings
) -> None:
    settings.MAX_REQUESTS_IN_FLIGHT = 0

    sent_away, health = await asyncio.gather(
        shop.get("/cart-api/cart/", headers=auth("alice")), shop.get("/cart-api/health")
    )
    settings.MAX_REQUESTS_IN_FLIGHT = 1
    later = await shop.get("/cart-api/cart/", headers=auth("alice"))

    assert (sent_away.status_code, sent_away.json()["code"]) == (503, "overloaded")
    assert sent_away.headers["Retry-After"]
    assert (health.status_code, later.status_code) == (200, 200)


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://elsewhere"}])
async def test_who_is_sent_away_at_the_door_gets_what_every_answer_carries(
    shop: httpx.AsyncClient, settings: LazySettings, origin: Headers
) -> None:
    settings.MAX_REQUESTS_IN_FLIGHT = 0
    named = {"X-Request-ID": "as-the-gateway-says"}

    answer = await shop.post("/cart-api/cart/items", content=b"{", headers=origin | named)

    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert answer.headers["X-Request-ID"] == named["X-Request-ID"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Retry-After"] == "1"


async def test_who_is_sent_away_from_a_demo_knows_that_it_is_one(
    shop: httpx.AsyncClient, settings: LazySettings
) -> None:
    settings.MAX_REQUESTS_IN_FLIGHT, settings.DEMO = 0, True

    assert (await shop.get("/cart-api/cart/")).headers["X-Store-Demo"] == "1"


async def test_who_is_sent_away_is_counted(shop: httpx.AsyncClient, settings: LazySettings) -> None:
    settings.MAX_REQUESTS_IN_FLIGHT = 0
    before = REGISTRY.get_sample_value("requests_shed_total") or 0

    await shop.get("/cart-api/cart/")
    seen = (await shop.get("/cart-api/metrics")).text

    assert REGISTRY.get_sample_value("requests_shed_total") == before + 1
    assert 'responses_total_by_status_view_method_total{method="GET",status="503"' in seen
