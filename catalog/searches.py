"""Searches by word: the one question whose answer takes longer the more products there are.

The rows are those of one moment. Columns keeps them as they are until the search is over, whatever
happens to their products meanwhile.
"""

import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from catalog.columns import Columns
from catalog.domain import Filter, Mark, Sort, SortBy
from catalog.places import Found, behind, key_of, prices_of
from catalog.trees import Tree
from catalog.turns import Work, kept, pieces
from catalog.words import Words

# So many rows of a tree are looked through at once.
WALKED = 20_000
# So many are sorted at once.
FEW = 1000
SAMPLE = 1024
# Of the sample, to either side of where the page should be: five times as far as it is off.
SLACK = 80


@dataclass(frozen=True, slots=True)
class Search:
    columns: Columns
    words: Words
    where: Filter
    tree: Tree  # all of the category, in the order that was asked for
    sort: Sort

    def page(self, *, limit: int, skip: int, after: Mark | None) -> Work[Found]:
        with self.columns.held() as changed:
            rows = yield from self._sifted((yield from self._found(changed)))
            total = len(rows)
            stop = skip + limit + 1
            page = None
            if 4 * stop * len(self.tree) <= WALKED * total:
                marks = yield from _marked(rows, self.columns.size)
                page = self._walked(marks, changed, stop, after)
            if page is None:
                rows = rows if after is None else (yield from self._beyond(rows, after))
                page = yield from self._selected(rows, skip, stop)
            else:
                page = page[skip:]
            return Found(page[:limit], total, len(page) > limit)

    def _walked(
        self, marks: bytearray, changed: Mapping[int, bool], stop: int, after: Mark | None
    ) -> list[int] | None:
        """The first of the marked rows, in one go; None where they are far apart here."""
        marks.extend(bytes(self.columns.size - len(marks)))
        near = self._near(after)
        found = [*compress(near, map(marks.__getitem__, near))]
        if len(found) < stop and len(near) == WALKED:
            return None
        gone = [row for row, is_there in changed.items() if marks[row] and not is_there]
        is_next, exact = self._is_next(after), self._keys()[1]
        found = found[:stop] + [row for row in gone if is_next(exact(row))]
        return sorted(found, key=exact, reverse=self.sort.descending)[:stop]

    def _near(self, after: Mark | None) -> list[int]:
        """The rows that follow the mark now, or come first, whatever words they have."""
        tree = self.tree
        if self.sort.descending:
            end = len(tree) if after is None else tree.rank(key_of(after))
            return tree.cut(max(0, end - WALKED), end)[::-1]
        start = 0 if after is None else tree.rank(behind(after))
        return tree.cut(start, start + WALKED)

    def _found(self, changed: dict[int, bool]) -> Work[list[int]]:
        """The rows that have all the words, each once."""
        prefixes = self.where.words or ()
        having: list[array[int]] = []
        for prefix in prefixes:
            having += [(yield from self.words.having(prefix))]
        # What came or went during these slices is looked at by itself, as it is now.
        changed, size = dict(changed), self.columns.size
        having.sort(key=len)
        rows: list[int] = []
        for place, some in enumerate(having):
            if place == 0:
                rows = yield from _united(some, changed, size)
            elif rows:
                marks = yield from _marked(some, size)
                rows = yield from kept(rows, marks.__getitem__, bool)
        new = [row for row, is_there in changed.items() if is_there]
        return rows + [row for row in new if prefixes and self.words.has_all(row, prefixes)]

    def _sifted(self, rows: list[int]) -> Work[list[int]]:
        """Those that pass the filters beside the words."""
        columns, where = self.columns, self.where
        if where.category is not None:
            rows = yield from kept(rows, columns.categories.__getitem__, where.category.__eq__)
        if (prices := prices_of(where)) is not None:
            rows = yield from kept(rows, columns.kopecks.__getitem__, prices[0].__le__)
            rows = yield from kept(rows, columns.kopecks.__getitem__, prices[1].__gt__)
        if where.in_stock:
            rows = yield from kept(rows, columns.in_stock.__getitem__, bool)
        return rows

    def _beyond(self, rows: list[int], after: Mark) -> Work[list[int]]:
        """Those that come after the mark."""
        coarse, exact = self._keys()
        first = key_of(after)[0]
        farther = first.__gt__ if self.sort.descending else first.__lt__
        found = yield from kept(rows, coarse, farther)
        ties = yield from kept(rows, coarse, first.__eq__)
        return found + (yield from kept(ties, exact, self._is_next(after)))

    def _selected(self, rows: list[int], skip: int, stop: int) -> Work[list[int]]:
        """From place ``skip`` to ``stop`` when all are sorted, without sorting all."""
        if not self.sort.descending:
            return (yield from self._cut(rows, skip, min(stop, len(rows))))
        size = len(rows)
        return (yield from self._cut(rows, max(0, size - stop), size - skip))[::-1]

    def _cut(self, rows: list[int], start: int, stop: int) -> Work[list[int]]:
        if start >= stop:
            return []
        key, exact = self._keys()
        while len(rows) > FEW:
            around, before = yield from _narrowed(rows, start, stop, key)
            if key is exact and 2 * len(around) > len(rows):
                break
            rows, start, stop, key = around, start - before, stop - before, exact
        return sorted(rows, key=exact)[start:stop]

    def _is_next(self, after: Mark | None) -> Callable[[Any], object]:
        """Whether a key comes after the mark."""
        if after is None:
            return lambda _: True
        return key_of(after).__gt__ if self.sort.descending else behind(after).__le__

    def _keys(self) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
        """The cheap one, which leaves ties, and the whole one."""
        columns = self.columns
        if self.sort.by is SortBy.NAME:
            return columns.names.__getitem__, columns.name_key
        return columns.kopecks.__getitem__, columns.price_key


def _united(some: "array[int]", without: dict[int, bool], size: int) -> Work[list[int]]:
    """Each row once."""
    marks = bytearray(size)
    for row in without:
        marks[row] = 1
    rows: list[int] = []
    for piece in pieces(some):
        for row in piece:
            if not marks[row]:
                marks[row] = 1
                rows.append(row)
        yield
    return rows


def _marked(some: Sequence[int], size: int) -> Work[bytearray]:
    """By row, whether it is one of them."""
    marks = bytearray(size)
    for piece in pieces(some):
        for row in piece:
            marks[row] = 1
        yield
    return marks


def _narrowed(
    rows: list[int], start: int, stop: int, key: Callable[[int], Any]
) -> Work[tuple[list[int], int]]:
    """The rows around these places, and how many come before those."""
    edges = sorted(map(key, random.choices(rows, k=SAMPLE)))  # noqa: S311
    first = start * SAMPLE // len(rows) - SLACK
    last = stop * SAMPLE // len(rows) + SLACK
    around: list[int] = rows
    if first > 0:
        higher = yield from kept(around, key, edges[first].__le__)
        around = higher if len(rows) - len(higher) <= start else around
    before = len(rows) - len(around)
    if last < SAMPLE:
        lower = yield from kept(around, key, edges[last].__gt__)
        around = lower if before + len(lower) >= stop else around
    return around, before
