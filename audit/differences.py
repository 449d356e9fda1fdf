"""What an audit looks at, and what it may find."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Check(StrEnum):
    """What is compared; also the label of ``shop_books_drift``."""

    STOCK = "stock"
    RESERVATIONS = "reservations"
    HOLDS = "holds"
    ORDERS = "orders"
    NEWS = "news"
    TOTALS = "totals"
    CARTS = "carts"


COMPARED = {
    Check.STOCK: "products: what was put in, and where it is",
    Check.RESERVATIONS: "sold stock and its orders",
    Check.HOLDS: "stock held for too long",
    Check.ORDERS: "orders: stock, totals, history",
    Check.NEWS: "orders and what accounts heard of them",
    Check.TOTALS: "users: total_spent and their orders",
    Check.CARTS: "carts and their open checkouts",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Equal in two looks when nothing of it moved in between: the text has all its figures."""

    check: Check
    text: str
    ids: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """``moving`` products were not judged: their books changed while they were being read."""

    looked_at: Counter[Check] = field(default_factory=Counter)
    differences: set[Difference] = field(default_factory=set)
    moving: int = 0

    def note(self, check: Check, problems: Iterable[str], *ids: str, count: int = 1) -> None:
        """``count`` things were looked at; each problem with them is a sentence."""
        self.looked_at[check] += count
        self.differences.update(Difference(check, text, ids) for text in problems)

    def still_there(self, later: "Findings") -> "Findings":
        """The later look, without what the earlier one has not seen."""
        return Findings(later.looked_at, self.differences & later.differences, later.moving)

    def by_check(self) -> dict[Check, int]:
        counts = Counter(difference.check for difference in self.differences)
        return {check: counts[check] for check in Check}
