"""A budget for repetitions: a peer in trouble is not asked more often than one that is well.

Whoever repeats a call because he has to know its outcome does so under a budget. It delays a
repetition and never forbids it: the question is answered in the end.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FIRST_ATTEMPTS_A_REPETITION = 10
MOST_REPETITIONS_SAVED = 10


class RetryBudget:
    """Each first attempt earns a tenth of a repetition; what was not earned goes one at a time.

    One at a time is what a peer that answers settles quickly, and what one that does not can bear.
    """

    def __init__(self, *, most: int = MOST_REPETITIONS_SAVED) -> None:
        """``most``: repetitions that may be saved for worse times."""
        self._most_saved = most * FIRST_ATTEMPTS_A_REPETITION
        self._saved = 0  # in first attempts
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, attempt: int) -> AsyncIterator[None]:
        """Around one attempt at a call; the first is number 1 and never waits."""
        if attempt == 1:
            self._saved = min(self._most_saved, self._saved + 1)
            yield
        elif self._saved >= FIRST_ATTEMPTS_A_REPETITION:
            self._saved -= FIRST_ATTEMPTS_A_REPETITION
            yield
        else:
            async with self._alone:
                yield
