"""Money is exact, however large, and says whether it is whole kopecks."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import money

AMOUNTS = st.decimals(min_value=0, max_value=money.MAX_PRICE, places=2)


@pytest.mark.parametrize("text", ["0", "1", "1.5", "1.50", "1.500", "-3.25", "1E+2", "1E+40"])
def test_whole_kopecks_are_recognised_however_they_are_written(text: str) -> None:
    assert money.has_kopecks_at_most(Decimal(text))


@pytest.mark.parametrize("text", ["0.001", "1.505", "1E-3", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_fractions_of_a_kopeck_and_no_numbers_are_not(text: str) -> None:
    assert not money.has_kopecks_at_most(Decimal(text))


@pytest.mark.parametrize("text", ["1" * 40, "1" * 40 + ".25", "1" * 40 + ".5000"])
def test_no_amount_is_too_long_to_be_judged(text: str) -> None:
    assert money.has_kopecks_at_most(Decimal(text))
    assert not money.has_kopecks_at_most(Decimal(text.partition(".")[0] + ".001"))


@given(st.integers(-(10**40), 10**40), st.integers(0, 60))
def test_kopecks_are_judged_as_by_whole_numbers(digits: int, places: int) -> None:
    amount = Decimal((int(digits < 0), tuple(int(d) for d in str(abs(digits))), -places))

    assert money.has_kopecks_at_most(amount) == (digits * 100 % 10**places == 0)


def test_three_at_99_99_are_299_97() -> None:
    assert money.total([(Decimal("99.99"), 3)]) == Decimal("299.97")


def test_nothing_costs_nothing() -> None:
    assert str(money.total([])) == "0.00"


@given(st.lists(st.tuples(AMOUNTS, st.integers(1, 1000)), max_size=100))
def test_a_total_is_the_sum_in_whole_kopecks(lines: list[tuple[Decimal, int]]) -> None:
    kopecks = sum(money.to_kopecks(price) * quantity for price, quantity in lines)

    assert money.to_kopecks(money.total(lines)) == kopecks
