"""How many requests are worked on at once: past that the answer is 503, at once.

A request that waits for longer than its client does is work for nobody. Whatever comes beyond
what can be done in time is sent away while that still costs little: see store.overload.
"""

from django.conf import settings
from prometheus_client import Counter

from store.errors import Unavailable
from store.remembered import from_settings

# Who watches the process has to see it most of all when it is busy.
ALWAYS_LET_IN = ("/health", "/ready", "/metrics")

SHED = Counter("requests_shed", "Requests sent away with 503 because too many were in hand.")


class Overloaded(Unavailable):
    code = "overloaded"
    detail = "Too many requests at once; come back in a moment."


class Admission:
    """Counts the requests in hand; they all belong to one loop."""

    def __init__(self) -> None:
        self.in_hand = 0

    def entered(self, path: str) -> "Admission":
        """For a ``with`` around the work on one request. Raises Overloaded."""
        if not self.admits(path):
            SHED.inc()
            raise Overloaded
        return self

    def __enter__(self) -> None:
        self.in_hand += 1

    def __exit__(self, *_: object) -> None:
        self.in_hand -= 1

    def admits(self, path: str) -> bool:
        return self.in_hand < _most() or path.endswith(ALWAYS_LET_IN)


@from_settings
def _most() -> int:
    return int(settings.MAX_REQUESTS_IN_FLIGHT)


admission = Admission()
