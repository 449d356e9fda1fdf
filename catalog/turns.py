"""Long work beside the requests: done in slices, between which all others have their turn."""

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import compress
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")
# It yields wherever it may be interrupted, which is every millisecond or so.
Work = Generator[None, None, T]

SLICE_SECONDS = 0.001
PIECE = 500


class Turns:
    """One piece of work goes on in each turn of the loop, whoever else waits for theirs."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def run(self, work: Work[T]) -> T:
        """What the work returns."""
        with closing(work):
            while True:
                async with self._turn:
                    try:
                        _go_on(work)
                    except StopIteration as end:
                        result: T = end.value
                        return result
                await asyncio.sleep(0)


def finished(work: Work[T]) -> T:
    """What it returns, done in one go."""
    try:
        while True:
            next(work)
    except StopIteration as end:
        result: T = end.value
        return result


def pieces(items: Sequence[T], size: int = PIECE) -> Iterator[Sequence[T]]:
    """Parts of so many items; the last may be shorter."""
    return (items[start : start + size] for start in range(0, len(items), size))


def kept(
    rows: Sequence[int], value: Callable[[int], Any], fits: Callable[[Any], object]
) -> Work[list[int]]:
    """The rows whose value fits."""
    found: list[int] = []
    for piece in pieces(rows):
        found += compress(piece, map(fits, map(value, piece)))
        yield
    return found


def _go_on(work: Work[Any]) -> None:
    """Raises StopIteration at its end."""
    ends_at = perf_counter() + SLICE_SECONDS
    next(work)
    while perf_counter() < ends_at:
        next(work)
