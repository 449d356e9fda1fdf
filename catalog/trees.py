"""Rows in sorted order: how many there are, which stand at a place, where a key belongs.

They stand in a tree: leaves of a few hundred rows, branches of a few dozen children. Every question
goes down it once, so that it costs O(log n) at any place.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

from catalog.turns import Work, finished, pieces

# (name, id), (price, id) or an id; shorter ones stand for "before all that begin like this".
Key = tuple[Any, ...] | int
Prices = tuple[int, int]  # from the first to below the second, in kopecks
ABOVE_ALL = 1 << 62

# What is filled at once leaves room to grow; what grows past the larger number is halved.
LEAF, FULL_LEAF = 160, 256
BRANCH, FULL_BRANCH = 24, 36
# So many rows are sorted faster than found among the children of a branch.
FEW = 40
# So many prices are put in order at once.
MERGED = 1024


class PriceIndex:
    """Some rows by price: counted within a range without looking at each. Ties are by row."""

    __slots__ = ("_kopecks", "_rows")

    def __init__(self) -> None:
        self._rows = array("I")
        self._kopecks = array("I")

    def extend(self, rows: Iterable[int], kopecks: Sequence[int]) -> None:
        """By rows that are dearer than those there are; ``kopecks``: the price of every row."""
        found = sorted(sorted(rows), key=kopecks.__getitem__)
        self._rows.extend(found)
        prices = array("Q", map(kopecks.__getitem__, found))
        self._make_room(prices[-1] if prices else 0)
        self._kopecks.extend(array(self._kopecks.typecode, prices))

    def edges(self, size: int) -> Sequence[int]:
        """The prices at every so many rows."""
        return self._kopecks[::size]

    def add(self, row: int, price: int) -> None:
        place = self._place(row, price)
        self._make_room(price)
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

    def _make_room(self, price: int) -> None:
        """Four bytes hold the price of anything up to 42 million roubles."""
        if price >= 1 << 32 and self._kopecks.typecode == "I":
            self._kopecks = array("Q", self._kopecks)


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
        self._size = 0
        self.update(sum(map(len, self.children)))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self.children)

    @property
    def is_full(self) -> bool:
        return len(self.children) > FULL_BRANCH

    def update(self, change: int) -> None:
        """After so many rows came to the children, or went."""
        self._size += change
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
            self._root = Branch([*map(self._indexed, self._root.halves())])

    def remove(self, row: int) -> None:
        self._remove(self._root, row, self._key(row))
        while isinstance(self._root, Branch) and len(self._root.children) <= 1:
            self._root = self._root.children[0] if self._root.children else self._indexed(Leaf([]))

    def fill(self, rows: Sequence[int]) -> Work[None]:
        """Many at once, sorted, where there were none."""
        level: list[Node] = [] if rows else [Leaf([])]
        for part in pieces(rows, LEAF):
            level.append(Leaf(part))
            yield
        while len(level) > 1:
            for node in level:
                yield from self._index(node)
            level = [Branch(part) for part in pieces(level, BRANCH)]
        if isinstance(level[0], Leaf):
            yield from self._index(level[0])
        self._root = level[0]

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
        node.update(1)

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
        node.update(-1)

    def _place(self, node: Branch, key: Key) -> int:
        """Of the child in which the key belongs."""
        lasts = len(node.children) - 1
        return bisect_left(node.children, key, 0, lasts, key=lambda child: self._key(child.last))

    def _indexed(self, node: Node) -> Node:
        finished(self._index(node))
        return node

    def _index(self, node: Node) -> Work[None]:
        if self._kopecks is None:
            return
        prices = PriceIndex()
        for part in [node.rows] if isinstance(node, Leaf) else _by_price(node.children):
            prices.extend(part, self._kopecks)
            yield
        node.prices = prices


def _by_price(children: Sequence[Node]) -> Iterator[Iterator[int]]:
    """Their rows in parts, each dearer than the one before."""
    indexes = [child.prices for child in children if child.prices is not None]
    sample = sorted(chain.from_iterable(index.edges(MERGED // BRANCH) for index in indexes))
    edges = [0, *sorted({*sample[BRANCH::BRANCH]}), ABOVE_ALL]
    for prices in pairwise(edges):
        yield chain.from_iterable(index.within(prices) for index in indexes)
