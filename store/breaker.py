"""A circuit breaker: a peer that does not answer is left alone, and asked by one at a time.

Without it everybody waits for a peer that hangs for as long as a call may take, and what waits
fills the caller until it hangs, too.
"""

import time
from collections.abc import Callable

FAILURES_THAT_OPEN = 10
# What a peer that hangs costs while it is away: one call in so many seconds.
SECONDS_BETWEEN_PROBES = 0.5


class Breaker:
    """Opens after so many failures without a success between them; any success closes it.

    ``on_change`` is told whether it is open now.
    """

    def __init__(
        self,
        *,
        most: int = FAILURES_THAT_OPEN,
        pause: float = SECONDS_BETWEEN_PROBES,
        now: Callable[[], float] = time.monotonic,
        on_change: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """``pause``: seconds between two probes, however long either takes."""
        self._most = most
        self._pause = pause
        self._now = now
        self._on_change = on_change
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._most

    def admits(self) -> bool:
        """Whether a call may be made; while it is open one may in each pause, as a probe."""
        if not self.is_open:
            return True
        now = self._now()
        if now < self._probe_at:
            return False
        self._probe_at = now + self._pause
        return True

    def failed(self) -> None:
        self._failures += 1
        if self._failures == self._most:
            self._probe_at = self._now() + self._pause
            self._on_change(True)  # noqa: FBT003  # what it says is in the name

    def succeeded(self) -> None:
        if self.is_open:
            self._on_change(False)  # noqa: FBT003
        self._failures = 0
