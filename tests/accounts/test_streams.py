"""Subscriptions: bounded, in order, and ended when they have to."""

import pytest

from accounts.domain import TooManyStreams
from accounts.streams import PENDING_LIMIT, Streams
from tests.accounts.conftest import update


@pytest.fixture
def streams() -> Streams:
    return Streams(per_user=2, limit=3)


async def test_each_of_a_persons_streams_hears_everything(streams: Streams) -> None:
    mine, also_mine, hers = (streams.subscribe(name) for name in ("alice", "alice", "bob"))
    news = [update(), update()]

    for step in news:
        streams.publish(step)

    for subscription in (mine, also_mine):
        assert [await subscription.next(within=1) for _ in news] == news
    assert await hers.next(within=0) is None


async def test_a_silence_is_told(streams: Streams) -> None:
    subscription = streams.subscribe("alice")

    assert await subscription.next(within=0.001) is None
    assert not subscription.is_over


async def test_a_reader_too_slow_is_let_go(streams: Streams) -> None:
    slow = streams.subscribe("alice")

    for _ in range(PENDING_LIMIT + 50):
        streams.publish(update())

    assert slow.is_over
    assert await slow.next(within=1) is None


async def test_the_end_leaves_what_is_pending(streams: Streams) -> None:
    subscription = streams.subscribe("alice")
    step = update()
    streams.publish(step)

    streams.close()

    assert await subscription.next(within=1) == step
    assert subscription.is_over


async def test_after_the_end_streams_end_at_once(streams: Streams) -> None:
    streams.close()

    assert streams.subscribe("alice").is_over


async def test_a_person_has_so_many_streams(streams: Streams) -> None:
    first = streams.subscribe("alice")
    streams.subscribe("alice")

    with pytest.raises(TooManyStreams):
        streams.subscribe("alice")
    streams.unsubscribe("alice", first)
    streams.subscribe("alice")


async def test_all_people_have_so_many_streams(streams: Streams) -> None:
    for name in ("a", "b", "c"):
        streams.subscribe(name)

    with pytest.raises(TooManyStreams):
        streams.subscribe("d")


async def test_nothing_is_left_of_a_stream_that_ended(streams: Streams) -> None:
    subscription = streams.subscribe("alice")
    assert len(streams) == 1

    streams.unsubscribe("alice", subscription)

    assert len(streams) == 0
    assert not streams._open
