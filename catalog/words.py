"""Which products have a word that begins with some letters."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice

from sortedcontainers import SortedDict

from catalog.domain import words_of
from catalog.turns import Work

_LAST_CHARACTER = "\U0010ffff"
WORDS_AT_ONCE = 8


class Words:
    """The words of names, each with the rows that have it."""

    def __init__(self, names: Sequence[bytes]) -> None:
        """``names``: of every row, in UTF-8."""
        self._names = names
        self._rows = SortedDict()  # an ascending array for each word

    def add(self, row: int) -> None:
        for word in self._of(row):
            rows = self._rows.get(word)
            if rows is None:
                self._rows[word] = array("I", [row])
            else:
                rows.insert(bisect_left(rows, row), row)

    def remove(self, row: int) -> None:
        for word in self._of(row):
            rows = self._rows[word]
            del rows[bisect_left(rows, row)]
            if not rows:
                del self._rows[word]

    def having(self, prefix: str) -> Work["array[int]"]:
        """The rows of which it begins a word; those of which it begins two come twice."""
        rows = array("I")
        first, is_new, last = prefix, True, prefix + _LAST_CHARACTER
        while words := list(islice(self._rows.irange(first, last, (is_new, True)), WORDS_AT_ONCE)):
            for word in words:
                rows.extend(self._rows[word])
            first, is_new = words[-1], False
            yield
        return rows

    def has_all(self, row: int, prefixes: Sequence[str]) -> bool:
        """Whether each begins a word of this row."""
        words = self._of(row)
        return all(any(word.startswith(prefix) for word in words) for prefix in prefixes)

    def _of(self, row: int) -> tuple[str, ...]:
        return words_of(self._names[row].decode())
