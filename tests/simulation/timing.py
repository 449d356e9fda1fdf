"""Gives the shop the time of a virtual loop, wherever it asks what time it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import override_settings

from store import clock, handler
from store.breaker import Breaker
from tests.simulation.virtual import VirtualLoop

# Every order takes its minute, so that a plain model can say where it is.
SETTINGS = {"ORDER_DELIVERY_MIN": 60.0, "ORDER_DELIVERY_MAX": 60.0, "PASSWORD_ROUNDS": 4}


@contextmanager
def time_of(loop: VirtualLoop, **changed: object) -> Iterator[pytest.MonkeyPatch]:
    """Tokens alone go by the real clock, which hardly moves meanwhile."""
    with override_settings(**SETTINGS | changed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", loop.wall)
        patch.setattr("orders.clock._seconds", loop.time)
        patch.setitem(Breaker.__init__.__kwdefaults__, "now", loop.time)
        patch.setattr(handler, "perf_counter", loop.time)
        # httpx looks for it at each request, and not finding it takes a third of the time.
        patch.setitem(sys.modules, "sniffio", None)
        yield patch
