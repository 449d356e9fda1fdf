"""Repetitions are a tenth of the first attempts, or go one at a time; none is given up."""

import asyncio

from store.retries import RetryBudget


class Peer:
    """Answers when a test says so; ``most`` is how many calls it had at once."""

    def __init__(self, budget: RetryBudget) -> None:
        self.calls = self.most = 0
        self.answers = asyncio.Event()
        self._budget = budget

    async def call(self, attempt: int) -> None:
        async with self._budget.turn(attempt):
            self.calls += 1
            self.most = max(self.most, self.calls)
            await self.answers.wait()
        self.calls -= 1


async def under_way() -> None:
    """All that can begin has begun."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_tenth_of_the_first_attempts_may_be_repeated_and_the_rest_one_at_a_time() -> None:
    budget = RetryBudget()
    for _ in range(50):
        async with budget.turn(1):
            pass
    peer = Peer(budget)

    calls = [asyncio.create_task(peer.call(2)) for _ in range(30)]
    await under_way()

    assert peer.calls == 50 / 10 + 1
    peer.answers.set()
    await asyncio.gather(*calls)


async def test_what_has_to_wait_has_its_turn_in_the_end_though_nothing_is_earned() -> None:
    peer = Peer(RetryBudget())
    peer.answers.set()

    await asyncio.gather(*(peer.call(3) for _ in range(100)))

    assert (peer.calls, peer.most) == (0, 1)


async def test_quiet_times_save_for_so_many_repetitions_and_no_more() -> None:
    budget = RetryBudget(most=3)
    for _ in range(1000):
        async with budget.turn(1):
            pass
    peer = Peer(budget)

    calls = [asyncio.create_task(peer.call(2)) for _ in range(30)]
    await under_way()

    assert peer.calls == 3 + 1
    peer.answers.set()
    await asyncio.gather(*calls)


async def test_first_attempts_never_wait() -> None:
    peer = Peer(RetryBudget())

    calls = [asyncio.create_task(peer.call(attempt)) for attempt in [2] * 5 + [1] * 5]
    await under_way()

    assert peer.calls == 1 + 5
    peer.answers.set()
    await asyncio.gather(*calls)


async def test_a_turn_that_ends_badly_is_over() -> None:
    peer = Peer(RetryBudget())
    cancelled = asyncio.create_task(peer.call(2))
    await under_way()

    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)

    peer.calls = 0
    peer.answers.set()
    await peer.call(2)
    assert peer.calls == 0
