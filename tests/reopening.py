"""A store with a journal, which is another process's after each of its changes."""

import asyncio
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Any, Self

from store.journal import Journal, open_journal


class Reopening:
    """Passes every call on to a store; after those named in ``changes`` it is made anew, from
    what its journal has, like that of a process that was killed and started again."""

    def __init__(
        self,
        data: Path,
        service: str,
        make: Callable[[Journal], Any],
        changes: Collection[str],
    ) -> None:
        self._place = (data, service)
        self._make = make
        self._changes = changes
        self._one_at_a_time = asyncio.Lock()
        self._open()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return self._followed_by_a_restart(method) if name in self._changes else method

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.journal.close()

    async def reopen(self) -> None:
        await self.journal.close()
        self._open()

    def _open(self) -> None:
        self.journal = open_journal(*self._place)
        self.journal.open()
        self._store = self._make(self.journal)

    def _followed_by_a_restart(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        async def called(*args: Any, **kwargs: Any) -> Any:
            async with self._one_at_a_time:
                try:
                    return await getattr(self._store, method.__name__)(*args, **kwargs)
                finally:
                    await self.reopen()

        return called
