"""Past what can be done at once the answer is 503, and the process can still be watched."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from django.conf import LazySettings

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
