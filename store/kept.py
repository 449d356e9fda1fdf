"""The JSON of values that never change, kept while they are asked for."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import orjson

from store import wire

# Some 5 MB at most of each kind.
MOST = 10_000

T = TypeVar("T")


class Kept(Generic[T]):
    """What was encoded lately, by the value itself: one that changes is another value."""

    def __init__(self, describe: Callable[[T], object], *, most: int = MOST) -> None:
        """``describe``: the value as data that has a JSON form."""
        self._describe = describe
        self._most = most
        # An entry holds its value, so that no other one can have the same id() meanwhile.
        self._known: OrderedDict[int, tuple[T, orjson.Fragment]] = OrderedDict()

    def __call__(self, value: T) -> orjson.Fragment:
        known = self._known.get(id(value))
        return known[1] if known else self._keep(value)

    def each(self, values: Iterable[T]) -> list[orjson.Fragment]:
        """The same for many, without a call for each."""
        find, keep = self._known.get, self._keep
        return [known[1] if (known := find(id(value))) else keep(value) for value in values]

    def _keep(self, value: T) -> orjson.Fragment:
        if len(self._known) >= self._most:
            self._known.popitem(last=False)
        encoded = orjson.Fragment(wire.encode(self._describe(value)))
        self._known[id(value)] = value, encoded
        return encoded
