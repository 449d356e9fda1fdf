"""What is wrong with Cassandra is said once, not with every request; and when it is over."""

import pytest
from cassandra import OperationTimedOut
from cassandra.cluster import NoHostAvailable

from store.cassandra.faults import Outage


@pytest.fixture
def clock() -> list[float]:
    """What the time is: its only item."""
    return [0.0]


@pytest.fixture
def outage(clock: list[float]) -> Outage:
    return Outage("127.0.0.1 (port 9042)", clock=lambda: clock[0])


def test_a_reason_is_said_once_and_again_after_ten_minutes(
    outage: Outage, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for clock[0] in map(float, range(1200)):
        outage.because(OperationTimedOut())
        if clock[0] > 600:
            outage.because(ConnectionRefusedError(111, "Connection refused"))

    assert len(caplog.messages) == 3
    assert caplog.messages[0] == (
        "Cassandra at 127.0.0.1 (port 9042) cannot be used, and is tried again: it does not answer."
    )


def test_the_end_is_said_once_it_has_been_quiet_for_a_while(
    outage: Outage, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    outage.because(OperationTimedOut())
    outage.works()
    clock[0] = 6
    outage.works()
    outage.works()
    outage.because(OperationTimedOut())

    assert [message.split()[3:6] for message in caplog.messages] == [
        ["(port", "9042)", "cannot"],
        ["(port", "9042)", "is"],
        ["(port", "9042)", "cannot"],
    ]


def test_the_node_that_answered_tells_more_than_those_that_did_not(outage: Outage) -> None:
    answers = {
        "10.0.0.1:9042": ConnectionRefusedError(111, "Connection refused"),
        "10.0.0.2:9042": OSError("Bad luck at [('10.0.0.2', 9042)]"),
    }

    outage.because(NoHostAvailable("Unable to connect to any servers", answers))

    assert outage.reason == "OSError: Bad luck at it"
