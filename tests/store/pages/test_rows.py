"""The query set of the admin: it reads the page it shows, once, on the server's event loop."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import Q

from carts.admin import Cart
from store.rows import Found, Rows, Wanted, walk


class Numbers:
    """A thousand rows, which remember how they were read."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []
        self.loops: list[asyncio.AbstractEventLoop] = []

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        self.reads.append((start, stop))
        self.loops.append(asyncio.get_running_loop())
        return Found(range(1000)[start:stop], 1000)

    async def one(self, key: Any) -> Any | None:
        return key if key in range(1000) else None


def rows(source: Numbers) -> Rows:
    return Rows(Cart, source, Wanted())


async def test_rows_are_read_on_the_servers_own_loop() -> None:
    source = Numbers()
    await sync_to_async(rows(source).count)()
    assert source.loops == [asyncio.get_running_loop()]


async def test_a_page_is_read_once_for_its_rows_and_their_number() -> None:
    source = Numbers()

    def show() -> tuple[int, list[Any]]:
        paginator: Any = Paginator(rows(source).at(300), 100)
        return paginator.count, list(paginator.page(4).object_list)

    assert await sync_to_async(show)() == (1000, list(range(300, 400)))
    assert source.reads == [(300, 400)]


async def test_nothing_is_read_before_it_is_wanted() -> None:
    source = Numbers()
    rows(source).filter(Q()).filter(user="x").search("y").order_by("-user").at(5)
    assert source.reads == []


async def test_a_row_that_is_not_there_is_one_that_does_not_exist() -> None:
    with pytest.raises(Cart.DoesNotExist):
        await sync_to_async(rows(Numbers()).get)(user=5000)


def test_a_filter_that_was_made_up_is_refused() -> None:
    with pytest.raises(IncorrectLookupParameters):
        rows(Numbers()).filter(Q(user__startswith="x"))


class Marked:
    """Rows by mark alone, as cursors have it."""

    def __init__(self, size: int) -> None:
        self.limits: list[int] = []
        self._size = size

    async def page(self, after: int | None, limit: int) -> Sequence[int]:
        self.limits.append(limit)
        start = 0 if after is None else after + 1
        return range(self._size)[start : start + limit]


@pytest.mark.parametrize(("size", "start"), [(5, 0), (100, 0), (101, 0), (2500, 2300), (0, 0)])
async def test_a_walk_finds_the_rows_at_a_place(size: int, start: int) -> None:
    found = await walk(Marked(size).page, int, start=start, stop=start + 100)
    assert list(found.rows) == list(range(size)[start : start + 100])
    assert found.is_total_known == (start + 100 >= size)
    assert found.total == (size if found.is_total_known else start + 101)


async def test_a_walk_past_the_end_says_where_the_end_was() -> None:
    found = await walk(Marked(250).page, int, start=5000, stop=5100)
    assert (list(found.rows), found.total, found.is_total_known) == ([], 250, True)


async def test_a_walk_takes_steps_between_which_others_have_their_turn() -> None:
    source, turns = Marked(10_000), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await walk(source.page, int, start=5000, stop=5100)
    task.cancel()
    assert max(source.limits) == 1000
    assert turns >= 5
