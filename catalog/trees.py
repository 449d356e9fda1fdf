"""Rows in sorted order: how many there are, which stand at a place, where a key belongs.

They stand in a tree: leaves of a few hundred rows, branches of a few dozen children. Every question
goes down it once, so that it costs O(log n) at any place.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

# (name, id), (price, id) or an id; shorter ones stand for "before all that begin like this".
Key = tuple[Any, ...] | int
Prices = tuple[int, int]  # from the first to below the second, in kopecks
T = TypeVar("T")

# What is filled at once leaves room to grow; what grows past the larger number is halved.
LEAF, FULL_LEAF = 160, 256
BRANCH, FULL_BRANCH = 24, 36
# So many rows are sorted faster than found among the children of a branch.
FEW = 40
WALKED = 500


class PriceIndex:
    """Some rows by price: counted within a range without looking at each. Ties are by row."""

    __slots__ = ("_kopecks", "_rows")

    def __init__(self, rows: Sequence[int], kopecks: Sequence[int]) -> None:
        """``kopecks``: the price of every row there is."""
        self._rows = array("I", sorted(sorted(rows), key=kopecks.__getitem__))
        highest = kopecks[self._rows[-1]] if self._rows else 0
        self._kopecks = array(_typecode(highest), map(kopecks.__getitem__, self._rows))

    def add(self, row: int, price: int) -> None:
        place = self._place(row, price)
        if _typecode(price) > self._kopecks.typecode:
            self._kopecks = array("Q", self._kopecks)
        self._kopecks.insert(place, price)
        self._rows.insert(place, row)

    def remove(self, row: int, price: int) -> None:
        place = self._place(row, price)
        del self._kopecks[place], self._rows[place]

    def count(self, prices: Prices) -> int:
        return bisect_left(self._kopecks, prices[1]) - bisect_left(self._kopecks, prices[0])

    def within(self, prices: Prices) -> Sequence[int]:
        low, high = (bisect_left(self._kopecks, price) for price in prices)
        return self._rows[low:high]

    def _place(self, row: int, price: int) -> int:
        start, stop = bisect_left(self._kopecks, price), bisect_right(self._kopecks, price)
        return bisect_left(self._rows, row, start, stop)


def _typecode(price: int) -> str:
    """Four bytes hold the price of anything up to 42 million roubles."""
    return "I" if price < 1 << 32 else "Q"


class Leaf:
    """Rows beside each other."""

    __slots__ = ("prices", "rows")

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows = array("I", rows)
        self.prices: PriceIndex | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows)

    @property
    def last(self) -> int:
        return self.rows[-1]

    @property
    def is_full(self) -> bool:
        return len(self.rows) > FULL_LEAF

    def halves(self) -> "list[Node]":
        half = len(self.rows) // 2
        return [Leaf(self.rows[:half]), Leaf(self.rows[half:])]


class Branch:
    """Leaves or branches beside each other; none is empty."""

    __slots__ = ("_size", "children", "last", "prices")

    def __init__(self, children: "Sequence[Node]") -> None:
        self.children = list(children)
        self.prices: PriceIndex | None = None
        self.last = -1
        self.update()

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self.children)

    @property
    def is_full(self) -> bool:
        return len(self.children) > FULL_BRANCH

    def update(self) -> None:
        """After a change of the children."""
        self._size = sum(map(len, self.children))
        self.last = self.children[-1].last if self.children else -1

    def halves(self) -> "list[Node]":
        half = len(self.children) // 2
        return [Branch(self.children[:half]), Branch(self.children[half:])]


Node = Leaf | Branch


class Tree:
    """Rows sorted by a key that no two share."""

    def __init__(self, key: Callable[[int], Any], *, kopecks: Sequence[int] | None = None) -> None:
        """``kopecks``: the price of every row, where ranges of prices will be asked for."""
        self._key = key
        self._kopecks = kopecks
        self._root: Node = self._indexed(Leaf([]))

    def __len__(self) -> int:
        return len(self._root)

    def add(self, row: int) -> None:
        self._add(self._root, row, self._key(row))
        if self._root.is_full:
            # The root alone needs no index: its owner knows how many rows cost how much.
            self._root = Branch([self._indexed(half) for half in self._root.halves()])

    def remove(self, row: int) -> None:
        self._remove(self._root, row, self._key(row))
        while isinstance(self._root, Branch) and len(self._root.children) <= 1:
            self._root = self._root.children[0] if self._root.children else self._indexed(Leaf([]))

    def fill(self, rows: Sequence[int]) -> None:
        """Many at once, sorted, where there were none."""
        level: list[Node] = [Leaf(part) for part in cut_into(rows, LEAF)] or [Leaf([])]
        while len(level) > 1:
            level = [Branch(part) for part in cut_into([*map(self._indexed, level)], BRANCH)]
        self._root = self._indexed(level[0]) if isinstance(level[0], Leaf) else level[0]

    def rank(self, key: Key, prices: Prices | None = None) -> int:
        """How many rows stand before the key; of those within ``prices``."""
        before, node = 0, self._root
        while isinstance(node, Branch):
            place = self._place(node, key)
            before += sum(self._count(child, prices) for child in node.children[:place])
            node = node.children[place]
        return before + bisect_left(self._within(node, prices), key, key=self._key)

    def cut(self, start: int, stop: int, prices: Prices | None = None) -> list[int]:
        """The rows at ``start``, ``start + 1``, ... below ``stop``; of those within ``prices``."""
        found: list[int] = []
        self._cut(self._root, (start, stop), prices, found)
        return found

    def walk(self, start: int) -> Iterator[int]:
        """The rows from a place on."""
        for place in range(start, len(self), WALKED):
            yield from self.cut(place, place + WALKED)

    def walk_back(self, stop: int) -> Iterator[int]:
        """The rows before a place, the nearest first."""
        for place in range(stop, 0, -WALKED):
            yield from reversed(self.cut(max(0, place - WALKED), place))

    def _cut(
        self, node: Node, places: tuple[int, int], prices: Prices | None, found: list[int]
    ) -> None:
        start, stop = places
        few = prices is not None and node.prices is not None and node.prices.count(prices) <= FEW
        if few or isinstance(node, Leaf):
            found += self._within(node, prices)[max(0, start) : stop]
            return
        for child in node.children:
            count = self._count(child, prices)
            if start < count:
                self._cut(child, (start, stop), prices, found)
            start, stop = start - count, stop - count
            if stop <= 0:
                break

    def _count(self, node: Node, prices: Prices | None) -> int:
        if prices is None or node.prices is None:
            return len(node)
        return node.prices.count(prices)

    def _within(self, node: Node, prices: Prices | None) -> Sequence[int]:
        """The node's rows that cost so much, in order."""
        if prices is None or node.prices is None or self._kopecks is None:
            return node.rows if isinstance(node, Leaf) else list(node)
        rows = node.prices.within(prices)
        if isinstance(node, Leaf) and 4 * len(rows) > len(node):
            low, high = prices
            kopecks = self._kopecks
            return [row for row in node.rows if low <= kopecks[row] < high]
        return sorted(rows, key=self._key)

    def _add(self, node: Node, row: int, key: Key) -> None:
        if node.prices is not None and self._kopecks is not None:
            node.prices.add(row, self._kopecks[row])
        if isinstance(node, Leaf):
            insort(node.rows, row, key=self._key)
            return
        place = self._place(node, key)
        child = node.children[place]
        self._add(child, row, key)
        if child.is_full:
            node.children[place : place + 1] = map(self._indexed, child.halves())
        node.update()

    def _remove(self, node: Node, row: int, key: Key) -> None:
        if node.prices is not None and self._kopecks is not None:
            node.prices.remove(row, self._kopecks[row])
        if isinstance(node, Leaf):
            del node.rows[bisect_left(node.rows, key, key=self._key)]
            return
        place = self._place(node, key)
        self._remove(node.children[place], row, key)
        if not len(node.children[place]):
            del node.children[place]
        node.update()

    def _place(self, node: Branch, key: Key) -> int:
        """Of the child in which the key belongs."""
        lasts = len(node.children) - 1
        return bisect_left(node.children, key, 0, lasts, key=lambda child: self._key(child.last))

    def _indexed(self, node: Node) -> Node:
        if self._kopecks is not None:
            node.prices = PriceIndex([*node], self._kopecks)
        return node


def cut_into(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Parts of so many items; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]
