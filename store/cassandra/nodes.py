"""Which Cassandra node is asked: first, not one that has just kept somebody waiting; and when
another one is asked as well.
"""

import time
from collections.abc import Iterable, MutableMapping
from typing import Any

from cassandra.policies import (
    SpeculativeExecutionPlan,
    SpeculativeExecutionPolicy,
    WrapperPolicy,
)

# The driver itself takes ten seconds to see that a node hangs, and asks it all the while.
AVOIDED_SECONDS = 3.0
# What every statement adds to the budget of second tries, and how much is saved up at most.
SHARE, SAVED_UP = 0.1, 20.0


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


class SecondTries(SpeculativeExecutionPolicy):  # type: ignore[misc]  # the driver has no types
    """Asks the next node when one is late, for a tenth of all statements in the long run.

    That makes up for a node that is away; nodes that are all slow because they have too much to
    do are not given twice as much.
    """

    def __init__(self, delay: float, most: int) -> None:
        """After ``delay`` seconds each, ``most`` times a statement."""
        self.delay = delay
        self.most = most
        self.left = SAVED_UP

    def new_plan(self, keyspace: Any, statement: Any) -> "_SecondTriesOfOne":
        self.left = min(SAVED_UP, self.left + SHARE)
        return _SecondTriesOfOne(self)


class _SecondTriesOfOne(SpeculativeExecutionPlan):  # type: ignore[misc]
    def __init__(self, policy: SecondTries) -> None:
        self._policy = policy
        self._sent = 0

    def next_execution(self, _host: Any) -> float:
        """Called when the statement is sent, and again each time that it was sent once more.

        Whoever begins while something is left may spend it: a node that stops keeps many
        waiting at once.
        """
        policy = self._policy
        if self._sent:
            policy.left -= 1
        self._sent += 1
        return policy.delay if policy.left > 0 and self._sent <= policy.most else -1
