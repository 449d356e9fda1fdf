"""What the guard says of costs; measuring them is no test."""

from tests.bench.bars import Figure, picture
from tests.bench.guard import warnings


def test_a_read_that_became_a_fifth_dearer_is_warned_of() -> None:
    [warning] = warnings({"cart": 4.8, "orders": 4.4}, {"cart": 4.0, "orders": 4.0})

    assert warning.startswith("warning: cart takes 4.80 times")


def test_a_read_that_was_not_committed_yet_is_not_warned_of() -> None:
    assert warnings({"carts": 4.8}, {}) == []


def test_a_figure_that_falls_short_is_said_to() -> None:
    lines = picture(
        [
            Figure("rate", 200, 100, "200/s"),
            Figure("latency", 0.2, 0.1, "200 ms", at_most=True),
        ]
    ).splitlines()

    assert [line.split()[-1] for line in lines] == ["reached", "short"]
    assert lines[0].count("█") == 2 * lines[1].count("█") * 2
