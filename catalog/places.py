"""What a filter and a mark are in the columns' terms, and what a page is found to be."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.domain import Filter, Mark
from catalog.trees import ABOVE_ALL, Key, Prices
from store.money import to_kopecks


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page; ``total`` counts all that the filter finds."""

    rows: Sequence[int]
    total: int
    has_more: bool


def prices_of(where: Filter) -> Prices | None:
    """From how many kopecks to below how many; None for any price."""
    if where.min_price is None and where.max_price is None:
        return None
    low = 0 if where.min_price is None else to_kopecks(where.min_price)
    return low, ABOVE_ALL if where.max_price is None else to_kopecks(where.max_price) + 1


def key_of(mark: Mark) -> tuple[bytes | int, int]:
    """Of the mark, whether or not its product is still there."""
    first = mark.key.encode() if isinstance(mark.key, str) else to_kopecks(mark.key)
    return first, mark.product_id.int


def behind(mark: Mark) -> Key:
    """What comes next to the mark or later."""
    first, number = key_of(mark)
    return first, number + 1
