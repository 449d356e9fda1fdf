"""How many requests are worked on at once: past that the answer is 503, at once.

A request that waits for longer than its client does is work for nobody. Whatever comes beyond
what can be done in time is sent away while that still costs little: see store.overload.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from prometheus_client import Counter

from store.errors import Unavailable

# Who watches the process has to see it most of all when it is busy.
ALWAYS_LET_IN = ("/health", "/ready", "/metrics")

SHED = Counter("requests_shed", "Requests sent away with 503 because too many were in hand.")


class Overloaded(Unavailable):
    code = "overloaded"
    detail = "Too many requests at once; come back in a moment."


class Admission:
    """Counts the requests in hand; they all belong to one loop."""

    def __init__(self) -> None:
        self._in_hand = 0

    @contextmanager
    def entered(self, path: str) -> Iterator[None]:
        """Around the work on one request. Raises Overloaded."""
        if not self.admits(path):
            SHED.inc()
            raise Overloaded
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    def admits(self, path: str) -> bool:
        return self._in_hand < settings.MAX_REQUESTS_IN_FLIGHT or path.endswith(ALWAYS_LET_IN)


admission = Admission()
