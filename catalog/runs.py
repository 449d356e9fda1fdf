"""Sorted runs of products: how many there are, which stand at a place, which follow a key."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from math import isqrt
from typing import Any, Protocol

from sortedcontainers import SortedList

from catalog.domain import Product, words_of
from store.money import to_kopecks

# (name or kopecks, id, item); shorter tuples stand for "before all that begin like this".
Key = tuple[Any, ...]
SMALLEST_BLOCK = 256


class Item:
    """A product on the shelves: one object for as long as its name, category and price stay."""

    __slots__ = ("name_key", "price_key", "product", "words")

    def __init__(self, product: Product) -> None:
        self.product = product
        # Integers compare in C, UUIDs in Python. The item comes last and is never compared:
        # ids are unique.
        self.name_key: Key = (product.name, product.product_id.int, self)
        self.price_key: Key = (to_kopecks(product.price), product.product_id.int, self)
        self.words = words_of(product.name)


class Run(Protocol):
    """Keys in ascending order, by place (from 0) or from a key on."""

    def __len__(self) -> int: ...

    def cut(self, start: int, stop: int) -> list[Key]:
        """The keys at ``start``, ``start + 1``, ... below ``stop``."""

    def following(self, key: Key, count: int) -> list[Key]:
        """The first ``count`` keys that are not before ``key``."""

    def preceding(self, key: Key, count: int) -> list[Key]:
        """The last ``count`` keys before ``key``, the nearest first."""


class Stretch:
    """The run from place ``low`` up to ``high`` of a sorted list; every question is O(log n)."""

    def __init__(self, keys: SortedList, low: int, high: int) -> None:
        self._keys = keys
        self._low = low
        self._high = max(low, high)

    def __len__(self) -> int:
        return self._high - self._low

    def cut(self, start: int, stop: int) -> list[Key]:
        found: list[Key] = self._keys[self._low + start : min(self._low + stop, self._high)]
        return found

    def following(self, key: Key, count: int) -> list[Key]:
        start = max(self._low, self._keys.bisect_left(key))
        return list(self._keys[start : min(start + count, self._high)])

    def preceding(self, key: Key, count: int) -> list[Key]:
        stop = min(self._high, self._keys.bisect_left(key))
        return list(self._keys[max(self._low, stop - count) : stop])[::-1]


class Sieve:
    """The run of a sorted list's keys whose items were found, when those are a good part of it.

    A page costs the walk to it: from the nearer end, or from its key.
    """

    def __init__(self, keys: SortedList, found: Collection[Item]) -> None:
        self._keys = keys
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def cut(self, start: int, stop: int) -> list[Key]:
        if start <= len(self) // 2:
            return list(islice(self._sifted(self._keys), start, stop))
        stop = min(stop, len(self))
        backwards = self._sifted(reversed(self._keys))
        return list(islice(backwards, len(self) - stop, max(0, len(self) - start)))[::-1]

    def following(self, key: Key, count: int) -> list[Key]:
        keys = self._keys.islice(self._keys.bisect_left(key))
        return list(islice(self._sifted(keys), count))

    def preceding(self, key: Key, count: int) -> list[Key]:
        keys = self._keys.islice(0, self._keys.bisect_left(key), reverse=True)
        return list(islice(self._sifted(keys), count))

    def _sifted(self, keys: Iterable[Key]) -> Iterator[Key]:
        found = self._found
        return (key for key in keys if key[-1] in found)


class _Block:
    """Neighbours by name, with the same items by price beside them."""

    __slots__ = ("kopecks", "names", "prices")

    def __init__(self, names: list[Key]) -> None:
        self.names = names
        self.prices = sorted(key[-1].price_key for key in names)
        # The prices alone once more: counting is all about bisecting, and numbers compare fastest.
        self.kopecks = [key[0] for key in self.prices]

    def add(self, item: Item) -> None:
        self.names.insert(bisect_left(self.names, item.name_key), item.name_key)
        place = bisect_left(self.prices, item.price_key)
        self.prices.insert(place, item.price_key)
        self.kopecks.insert(place, item.price_key[0])

    def remove(self, item: Item) -> None:
        del self.names[bisect_left(self.names, item.name_key)]
        place = bisect_left(self.prices, item.price_key)
        del self.prices[place], self.kopecks[place]

    def count(self, low: int, high: int) -> int:
        return bisect_left(self.kopecks, high) - bisect_left(self.kopecks, low)

    def within(self, low: int, high: int) -> list[Key]:
        """The names of those that cost from ``low`` to below ``high`` kopecks, sorted."""
        start, stop = bisect_left(self.kopecks, low), bisect_left(self.kopecks, high)
        return sorted(key[-1].name_key for key in islice(self.prices, start, stop))


class PricedNames:
    """Items by name that can be counted within any range of prices without looking at each.

    They stand in blocks of about the square root of n. To find a place every block is asked for
    a count (two bisections); only those are opened from which names are taken.
    """

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._lasts: list[Key] = []
        self._size = 0

    def add(self, item: Item) -> None:
        self._size += 1
        if not self._blocks:
            self._blocks, self._lasts = [_Block([item.name_key])], [item.name_key]
            return
        place = min(bisect_left(self._lasts, item.name_key), len(self._blocks) - 1)
        block = self._blocks[place]
        block.add(item)
        self._lasts[place] = block.names[-1]
        if len(block.names) > 2 * max(SMALLEST_BLOCK, isqrt(self._size)):
            self._split(place)

    def fill(self, names: list[Key]) -> None:
        """Many at once, sorted, where there were none."""
        self._size, step = len(names), max(SMALLEST_BLOCK, isqrt(len(names)))
        self._blocks = [_Block(names[start : start + step]) for start in range(0, self._size, step)]
        self._lasts = [block.names[-1] for block in self._blocks]

    def remove(self, item: Item) -> None:
        self._size -= 1
        place = bisect_left(self._lasts, item.name_key)
        block = self._blocks[place]
        block.remove(item)
        if block.names:
            self._lasts[place] = block.names[-1]
        else:
            del self._blocks[place], self._lasts[place]

    def within(self, low: int, high: int, *, total: int) -> "NamesWithin":
        """``total``: how many items cost from ``low`` to below ``high`` kopecks."""
        return NamesWithin(self._blocks, self._lasts, low, high, total)

    def _split(self, place: int) -> None:
        names = self._blocks[place].names
        half = len(names) // 2
        self._blocks[place : place + 1] = [_Block(names[:half]), _Block(names[half:])]
        self._lasts.insert(place, names[half - 1])


class NamesWithin:
    """The run of those items, by name, whose price lies in a range: O(sqrt(n) log n) a page."""

    def __init__(
        self, blocks: list[_Block], lasts: list[Key], low: int, high: int, total: int
    ) -> None:
        self._blocks = blocks
        self._lasts = lasts
        self._range = (low, high)
        self._total = total

    def __len__(self) -> int:
        return self._total

    def cut(self, start: int, stop: int) -> list[Key]:
        found: list[Key] = []
        for block in self._blocks:
            if stop <= 0:
                break
            count = block.count(*self._range)
            if start < count:
                found += block.within(*self._range)[max(start, 0) : stop]
            start, stop = start - count, stop - count
        return found

    def following(self, key: Key, count: int) -> list[Key]:
        place = bisect_left(self._lasts, key)
        found: list[Key] = []
        for block in islice(self._blocks, place, None):
            names = block.within(*self._range)
            found += names[bisect_left(names, key) :]
            if len(found) >= count:
                break
        return found[:count]

    def preceding(self, key: Key, count: int) -> list[Key]:
        place = bisect_left(self._lasts, key)
        found: list[Key] = []
        for block in reversed(self._blocks[: place + 1]):
            names = block.within(*self._range)
            found += names[: bisect_left(names, key)][::-1]
            if len(found) >= count:
                break
        return found[:count]
