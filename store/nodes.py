"""Which Cassandra node is asked first: not one that has just kept somebody waiting."""

import time
from collections.abc import Iterable, MutableMapping
from typing import Any

from cassandra.policies import WrapperPolicy

# The driver itself takes ten seconds to see that a node hangs, and asks it all the while.
AVOIDED_SECONDS = 3.0


class PunctualFirst(WrapperPolicy):  # type: ignore[misc]  # the driver has no types
    """The order of another policy, nodes that did not answer in time put last for a while."""

    def __init__(self, child: Any, late: MutableMapping[Any, float]) -> None:
        """``late``: until when each is avoided; shared, so that one statement warns all others."""
        super().__init__(child)
        self._late = late

    def watch(self, hosts: Iterable[Any]) -> None:
        """Told by any thread which nodes were asked and did not answer in time."""
        for host in hosts:
            self._late[host] = time.monotonic() + AVOIDED_SECONDS

    def make_query_plan(self, working_keyspace: Any = None, query: Any = None) -> Iterable[Any]:
        plan: Iterable[Any] = self._child_policy.make_query_plan(working_keyspace, query)
        if not self._late:
            return plan
        now = time.monotonic()
        return sorted(plan, key=lambda host: self._late.get(host, now) > now)
