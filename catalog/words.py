"""Which products have a word that begins with some letters."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sortedcontainers import SortedDict

from catalog.domain import words_of

_LAST_CHARACTER = "\U0010ffff"


class Words:
    """The words of names, each with the rows that have it."""

    def __init__(self, names: Sequence[bytes]) -> None:
        """``names``: of every row, in UTF-8."""
        self._names = names
        self._rows = SortedDict()  # an ascending array for each word

    def add(self, row: int) -> None:
        for word in words_of(self._names[row].decode()):
            rows = self._rows.setdefault(word, array("I"))
            rows.insert(bisect_left(rows, row), row)

    def fill(self, count: int) -> None:
        """The rows below ``count`` at once, where there were none."""
        found: dict[str, array[int]] = {}
        for row in range(count):
            for word in words_of(self._names[row].decode()):
                found.setdefault(word, array("I")).append(row)
        self._rows.update(found)

    def remove(self, row: int) -> None:
        for word in words_of(self._names[row].decode()):
            rows = self._rows[word]
            del rows[bisect_left(rows, row)]
            if not rows:
                del self._rows[word]

    def find(self, prefixes: Iterable[str]) -> set[int]:
        """The rows of which every prefix begins a word."""
        having = sorted(map(self._having, prefixes), key=lambda rows: sum(map(len, rows)))
        if not having:
            return set()
        found: set[int] = set().union(*having[0])
        for rows in having[1:]:
            found = set().union(*(found.intersection(some) for some in rows))
        return found

    def _having(self, prefix: str) -> list[Sequence[int]]:
        words = self._rows.irange(prefix, prefix + _LAST_CHARACTER)
        return [self._rows[word] for word in words]
