"""The instances of a service that another one calls: which of them is asked next."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import httpx

from store.breaker import Breaker


class Instance:
    """One address, and how its calls go."""

    def __init__(self, address: str, breaker: Breaker) -> None:
        """``address`` may begin with ``local://``, of which httpx knows nothing."""
        self.address = address
        self.url = address.replace("local://", "http://")
        self.host = httpx.URL(self.url).netloc.decode("ascii")
        self.breaker = breaker
        self.under_way = 0

    @contextmanager
    def called(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


class Instances:
    """Of those that answer the one with the fewest calls under way is next; equals take turns."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._waiting = list(instances)

    def next(self, *, without: Collection[Instance] = ()) -> Instance | None:
        """None where all are left alone; one that is gets a call now and then, as a probe."""
        left = [each for each in self._waiting if each not in without]
        answering = [each for each in left if not each.breaker.is_open]
        for each in left:
            if each.breaker.is_open and each.breaker.admits():
                return each
        if not answering:
            return None
        found = min(answering, key=lambda each: each.under_way)
        # Whoever was chosen last stands at the end.
        self._waiting.remove(found)
        self._waiting.append(found)
        return found

    def is_away(self) -> bool:
        """Whether none of them answers."""
        return all(each.breaker.is_open for each in self._waiting)
