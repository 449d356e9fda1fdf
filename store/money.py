"""Money: decimal roubles with kopecks, never a binary float."""

from collections.abc import Iterable
from decimal import Decimal

KOPECK = Decimal("0.01")
ZERO = Decimal("0.00")
MAX_PRICE = Decimal("99999999.99")


def has_kopecks_at_most(amount: Decimal) -> bool:
    """Whether ``amount`` is finite and has no more than two decimals (``1.50``, ``1E+2``)."""
    if not amount.is_finite():
        return False
    _, digits, exponent = amount.as_tuple()
    # By the digits themselves: decimal arithmetic gives up after 28 of them.
    cut = int(exponent) + 2
    return cut >= 0 or not any(digits[cut:])


def to_kopecks(amount: Decimal) -> int:
    """The amount as a whole number of kopecks, for counters and histograms."""
    return int(amount * 100)


def total(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """The sum of ``price * quantity`` over ``(price, quantity)`` pairs."""
    return sum((price * quantity for price, quantity in lines), ZERO)
