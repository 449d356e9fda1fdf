"""Background tasks: none is lost, none fails in silence, all end with their owner."""

import asyncio
import logging

import pytest

from store import tasks as tasks_module
from store.tasks import Tasks


@pytest.fixture(autouse=True)
def _restart_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "RESTART_AFTER_SECONDS", 0)


class Work:
    """Counts its runs; what happens in each is said by ``outcomes``, after them it waits."""

    def __init__(self, *outcomes: BaseException | None) -> None:
        self.outcomes = list(outcomes)
        self.runs = 0
        self.waits = asyncio.Event()

    async def run(self) -> None:
        self.runs += 1
        if not self.outcomes:
            self.waits.set()
            await asyncio.Event().wait()
        if (outcome := self.outcomes.pop(0)) is not None:
            raise outcome


async def test_a_task_that_crashes_is_logged_and_starts_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks, work = Tasks(), Work(ValueError("a crash"), KeyError("another"))

    tasks.supervise(work.run, name="clock")
    await work.waits.wait()
    await tasks.close(seconds=1)

    assert work.runs == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Task clock failed; it starts again"
    ] * 2
    assert caplog.records[0].exc_info


async def test_a_task_that_returns_starts_again_without_holding_up_the_loop() -> None:
    tasks, work = Tasks(), Work(None, None)

    tasks.supervise(work.run, name="clock")
    await work.waits.wait()
    await tasks.close(seconds=1)

    assert work.runs == 3


async def test_a_task_that_waited_for_something_cancelled_starts_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks, work = Tasks(), Work(asyncio.CancelledError())

    tasks.supervise(work.run, name="relay")
    await work.waits.wait()
    await tasks.close(seconds=1)

    assert work.runs == 2
    assert "relay" in caplog.text


async def test_closing_ends_supervised_tasks_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks, work = Tasks(), Work()
    tasks.supervise(work.run, name="clock")
    await work.waits.wait()

    await tasks.close(seconds=60)

    assert work.runs == 1
    assert not caplog.records
    assert "clock" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_started_task_survives_the_cancellation_of_its_caller() -> None:
    tasks, go_on, done = Tasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        done.set()

    async def caller() -> None:
        await asyncio.shield(tasks.start(work(), name="checkout"))

    request = asyncio.create_task(caller())
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait({request})
    go_on.set()
    await done.wait()

    assert request.cancelled()


async def test_a_started_task_gives_its_result() -> None:
    async def work() -> int:
        return 5

    assert await Tasks().start(work(), name="checkout") == 5


async def test_closing_waits_for_what_was_started() -> None:
    tasks, go_on, done = Tasks(), asyncio.Event(), []

    async def work() -> None:
        await go_on.wait()
        done.append("done")

    tasks.start(work(), name="checkout")
    closing = asyncio.create_task(tasks.close(seconds=60))
    await asyncio.sleep(0)
    go_on.set()
    await closing

    assert done == ["done"]
    assert len(tasks) == 0


async def test_closing_waits_for_what_started_things_start_in_turn() -> None:
    tasks, done = Tasks(), []

    async def second() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.start(second(), name="second")

    tasks.start(first(), name="first")
    await tasks.close(seconds=60)

    assert done == ["second"]


async def test_what_does_not_end_in_time_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    tasks, cancelled = Tasks(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("checkout")
            raise

    tasks.start(work(), name="checkout")
    await asyncio.sleep(0)
    await tasks.close(seconds=0)

    assert cancelled == ["checkout"]
    assert len(tasks) == 0
    assert not caplog.records


async def test_the_exception_of_a_started_task_is_logged_with_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise ValueError("a crash")

    tasks = Tasks()
    await asyncio.wait({tasks.start(work(), name="checkout")})

    assert caplog.record_tuples == [("store.tasks", logging.ERROR, "Task checkout failed")]
    assert len(tasks) == 0


async def test_a_supervised_task_cannot_be_lost_to_the_garbage_collector() -> None:
    tasks, work = Tasks(), Work()
    tasks.supervise(work.run, name="clock")
    await work.waits.wait()

    assert {task.get_name() for task in tasks._supervised} == {"clock"}
    await tasks.close(seconds=0)
