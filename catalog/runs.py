"""Runs: some of the products in sorted order, whichever way they were found."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from catalog.trees import Key, Prices, Tree

# A long sort keeps every other thread waiting: it is done in pieces of some thousands.
PIECE = 8192


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
    """Rows that were found, sorted for this one time."""

    def __init__(self, found: Collection[int], key: Callable[[int], Key]) -> None:
        self._rows = sorted(found, key=key)
        self._key = key

    def __len__(self) -> int:
        return len(self._rows)

    def rank(self, key: Key) -> int:
        return bisect_left(self._rows, key, key=self._key)

    def cut(self, start: int, stop: int) -> list[int]:
        return self._rows[start:stop]


class Sieve:
    """The rows of a tree that were found, when those are a good part of it.

    A page costs the walk to it, from the nearer end.
    """

    def __init__(self, tree: Tree, found: Collection[int]) -> None:
        self._tree = tree
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def rank(self, key: Key) -> int:
        place = self._tree.rank(key)
        if place <= len(self._tree) // 2:
            return sum(row in self._found for row in islice(self._tree.walk(0), place))
        behind = islice(self._tree.walk_back(len(self._tree)), len(self._tree) - place)
        return len(self) - sum(row in self._found for row in behind)

    def cut(self, start: int, stop: int) -> list[int]:
        stop = min(stop, len(self))
        if start <= len(self) // 2:
            return list(islice(self._sifted(self._tree.walk(0)), start, max(start, stop)))
        backwards = self._sifted(self._tree.walk_back(len(self._tree)))
        return list(islice(backwards, len(self) - stop, max(0, len(self) - start)))[::-1]

    def _sifted(self, rows: Iterable[int]) -> Iterator[int]:
        found = self._found
        return (row for row in rows if row in found)


def in_pieces(rows: Sequence[int], key: Callable[[int], Any]) -> list[int]:
    """Sorted by the key, equal ones as they came."""
    edges = sorted(key(row) for row in rows[:: max(1, len(rows) // 256)])[
        :: max(1, 256 * PIECE // max(1, len(rows)))
    ]
    pieces: list[list[int]] = [[] for _ in range(len(edges) + 1)]
    for row in rows:
        pieces[bisect_right(edges, key(row))].append(row)
    return [row for piece in pieces for row in sorted(piece, key=key)]
