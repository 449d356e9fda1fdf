"""Runs: some of the products in sorted order, whichever way they were found."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from catalog.trees import Key, Prices, Tree
from catalog.turns import Work, pieces

# So many are sorted at once.
PIECE = 1024


class Run(Protocol):
    """Rows by place (from 0)."""

    def __len__(self) -> int: ...

    def rank(self, key: Key) -> int:
        """How many of them stand before the key."""

    def cut(self, start: int, stop: int) -> list[int]:
        """Those at ``start``, ``start + 1``, ... below ``stop``."""


class Stretch:
    """Of a tree's rows (of those within ``prices``) ``size`` from place ``start`` on."""

    def __init__(self, tree: Tree, start: int, size: int, prices: Prices | None = None) -> None:
        self._tree = tree
        self._start = start
        self._size = max(0, size)
        self._prices = prices

    def __len__(self) -> int:
        return self._size

    def rank(self, key: Key) -> int:
        return min(max(0, self._tree.rank(key, self._prices) - self._start), self._size)

    def cut(self, start: int, stop: int) -> list[int]:
        stop = min(stop, self._size)
        return self._tree.cut(self._start + start, self._start + stop, self._prices)


class Sorted:
    """A few rows that were found, sorted for this one time."""

    def __init__(self, found: Collection[int], key: Callable[[int], Key]) -> None:
        self._rows = sorted(found, key=key)
        self._key = key

    def __len__(self) -> int:
        return len(self._rows)

    def rank(self, key: Key) -> int:
        return bisect_left(self._rows, key, key=self._key)

    def cut(self, start: int, stop: int) -> list[int]:
        return self._rows[start:stop]


def in_order(rows: Sequence[int], key: Callable[[int], Any]) -> Work["array[int]"]:
    """Sorted by the key, equal ones as they came."""
    count = len(rows) // PIECE
    sample = sorted(map(key, rows[:: max(1, len(rows) // (4 * count + 1))]))
    edges = sample[:: max(1, len(sample) // (count + 1))]
    parts = [array("I") for _ in range(len(edges) + 1)]
    for piece in pieces(rows):
        for row in piece:
            parts[bisect_right(edges, key(row))].append(row)
        yield
    found = array("I")
    for part in parts:
        found.extend(sorted(part, key=key))
        yield
    return found
