"""As much of a query set as Django's admin asks for when it only looks.

Ours and not a package's: those hold the whole list, and a catalogue of 100,000 products is not
copied to show a hundred of them. This one reads the page it shows, and reads it once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

from asgiref.sync import async_to_sync
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models

ROWS_A_PAGE = 100
STEP = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for: words to search for, exact values by field, the sort order."""

    search: str = ""
    exact: dict[str, Any] = field(default_factory=dict)
    order: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows from the place that was asked for, and how many there are in all.

    Where counting would cost too much, ``total`` is what is certainly there.
    """

    rows: Sequence[Any]
    total: int
    is_total_known: bool = True


class Source(Protocol):
    """Where rows come from; its methods run on the server's event loop, like everything else."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found: ...

    async def one(self, key: Any) -> Any | None: ...


def on_the_loop(ask: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """The answer of a coroutine, for the thread in which a page is made."""
    return async_to_sync(ask)(*args, **kwargs)


class Rows:
    """Lazy: nothing is read before somebody counts, slices or iterates."""

    ordered = True

    def __init__(
        self, model: type[models.Model], source: Source, wanted: Wanted, *, start: int = 0
    ) -> None:
        self.model = model
        self.query = SimpleNamespace(order_by=(), select_related=True)
        self._source = source
        self._wanted = wanted
        self._start = start
        self._read: Found | None = None

    def filter(self, *conditions: Any, **lookups: Any) -> "Rows":
        if any(conditions):  # the admin always gives one, that is empty for filters of ours
            raise IncorrectLookupParameters("There is no such filter here.")
        return self._with(exact={**self._wanted.exact, **lookups})

    def search(self, words: str) -> "Rows":
        return self._with(search=words.strip())

    def order_by(self, *names: Any) -> "Rows":
        # The admin adds the key to every order, to make it a stable one; ours are already.
        return self._with(order=str(names[0]) if names else "")

    def at(self, start: int) -> "Rows":
        """The same, about to show the page that begins there."""
        return Rows(self.model, self._source, self._wanted, start=max(0, start))

    def count(self) -> int:
        return self._page().total

    @property
    def is_total_known(self) -> bool:
        return self._page().is_total_known

    def get(self, **lookups: Any) -> Any:
        (key,) = lookups.values()
        row = on_the_loop(self._source.one, key)
        if row is None:
            raise self.model.DoesNotExist
        return row

    def __getitem__(self, part: slice) -> Sequence[Any]:
        page = self if part.start == self._start else self.at(part.start)
        return page._page().rows[: part.stop - page._start]

    def __len__(self) -> int:
        return len(self._page().rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._page().rows)

    def _clone(self) -> "Rows":
        return self if self._start == 0 else self.at(0)

    def _with(self, **changes: Any) -> "Rows":
        return Rows(self.model, self._source, replace(self._wanted, **changes))

    def _page(self) -> Found:
        if self._read is None:
            start, stop = self._start, self._start + ROWS_A_PAGE
            self._read = on_the_loop(self._source.find, self._wanted, start=start, stop=stop)
        return self._read


async def walk(
    page: Callable[[Any, int], Awaitable[Sequence[Any]]],
    mark: Callable[[Any], Any],
    *,
    start: int,
    stop: int,
) -> Found:
    """Rows by place from a store that pages by mark: ``page(after, limit)``.

    What lies before them is read in steps, so that others get their turn on the loop.
    """
    after, place = None, 0
    while place < start:
        skipped = await page(after, min(start - place, STEP))
        if not skipped:
            return Found([], place)
        after, place = mark(skipped[-1]), place + len(skipped)
        await asyncio.sleep(0)
    rows = await page(after, stop - start + 1)
    is_end = len(rows) <= stop - start
    return Found(rows[: stop - start], start + len(rows), is_total_known=is_end)
