"""Another Cassandra node is asked as well when one is late, within a budget."""

import pytest

from store.cassandra.nodes import SAVED_UP, SHARE, SecondTries


def tries(policy: SecondTries, *, is_late: bool) -> int:
    """How often one statement is sent beside the first time, as the driver goes about it."""
    plan = policy.new_plan(None, None)
    sent = 0
    while plan.next_execution(None) >= 0 and is_late:
        sent += 1
    return sent


def test_a_late_statement_is_sent_again_after_the_delay_as_often_as_said() -> None:
    plan = SecondTries(0.25, 2).new_plan(None, None)

    assert [plan.next_execution(None) for _ in range(3)] == [0.25, 0.25, -1]


def test_where_every_statement_is_late_a_tenth_is_sent_again() -> None:
    policy = SecondTries(0.25, 2)

    sent = sum(tries(policy, is_late=True) for _ in range(10_000))

    assert sent == pytest.approx(10_000 * SHARE + SAVED_UP, abs=2)


def test_where_a_node_is_away_for_some_all_of_those_are_sent_again() -> None:
    policy = SecondTries(0.25, 2)

    sent = [tries(policy, is_late=number % 30 == 0) for number in range(3000)]

    assert sent[::30] == [2] * 100


def test_those_that_wait_together_when_a_node_stops_are_all_sent_again() -> None:
    policy = SecondTries(0.25, 1)
    plans = [policy.new_plan(None, None) for _ in range(200)]

    first = [plan.next_execution(None) for plan in plans]
    second = [plan.next_execution(None) for plan in plans]

    assert first == [0.25] * 200
    assert second == [-1] * 200
    assert tries(policy, is_late=True) == 0
