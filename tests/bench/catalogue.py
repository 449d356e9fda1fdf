"""``python -m tests.bench.catalogue``: what reading the catalogue costs, over HTTP.

Asks running catalogs of different sizes in turns, each as it is: a product by id, categories and
pages of 20 in every order, at every depth. It changes nothing. SECRET_KEY is that of the services.

    manage.py seed_products --count 1000000 --url http://127.0.0.1:8001
    python -m tests.bench.catalogue http://127.0.0.1:8000 http://127.0.0.1:8001

Other work on the machine spoils rates. What a call costs its process is told apart from that: by
the scheduler's count of its time on a core, less what it takes while nobody asks, in rounds in
which the sizes take turns.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

LIMIT = 20
# Different ones of the same kind, so that not one page alone is measured.
VARIANTS = 16
PRICES = {"min_price": 100, "max_price": 500}
IDLE_SECONDS = 3.0
LISTENING = "0A"  # in /proc/net/tcp


@dataclass(frozen=True)
class Question:
    """What is asked, in as many variants as it has."""

    words: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Round:
    """Of one question, one catalog: seconds of its CPU a call, and how long each call took."""

    cpu: float
    seconds: float
    times: Sequence[float]


@dataclass(frozen=True)
class Catalog:
    """A running one, asked as an admin. ``idle``: its CPU a second while nobody asks."""

    session: aiohttp.ClientSession
    pid: int
    idle: float = 0.0

    async def text(self, path: str) -> str:
        async with self.session.get(path) as answer:
            body = await answer.text()
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status} {body[:200]}")
            return body

    async def json(self, path: str, **query: Any) -> Any:
        async with self.session.get(path, params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def round(self, paths: Sequence[str], *, calls: int, at_once: int) -> Round:
        times: list[float] = []
        left = iter(random.choices(paths, k=calls))

        async def ask() -> None:
            for path in left:
                asked_at = time.perf_counter()
                await self.text(path)
                times.append(time.perf_counter() - asked_at)

        used, began_at = cpu_of(self.pid), time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(at_once)))
        seconds = time.perf_counter() - began_at
        return Round((cpu_of(self.pid) - used - self.idle * seconds) / calls, seconds, times)

    async def with_idle(self) -> "Catalog":
        used = cpu_of(self.pid)
        await asyncio.sleep(IDLE_SECONDS)
        return replace(self, idle=(cpu_of(self.pid) - used) / IDLE_SECONDS)


def cpu_of(pid: int) -> float:
    """Seconds that all threads of a process have had of the cores."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def pid_at(port: int) -> int:
    """The process that listens there, on this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {
        f"socket:[{line[9]}]"
        for line in lines
        if line[3] == LISTENING and int(line[1].partition(":")[2], 16) == port
    }
    for file in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(file.readlink()) in inodes:
                return int(file.parts[2])
    raise SystemExit(f"Nothing listens on port {port} here.")


async def questions(catalog: Catalog) -> tuple[int, list[Question]]:
    """How many products there are, and all that is asked."""
    counts = await catalog.json("/products/categories/list")
    largest = max(counts, key=lambda each: each["product_count"])["name"]
    size = sum(each["product_count"] for each in counts)
    skips = [random.randrange(max(1, size - 100)) for _ in range(10)]
    items = [
        item
        for skip in skips
        for item in (await catalog.json("/products/", skip=skip, limit=100))["items"]
    ]
    found = [
        Question("product by id", [f"/products/{item['product_id']}" for item in items]),
        Question("categories", ["/products/categories/list"]),
    ]
    for place, category in (("everything", {}), ("a category", {"category": largest})):
        for prices, within in (("", {}), (", 100 to 500", PRICES)):
            for by in ("name", "price"):
                words = f"{place}{prices}, by {by}"
                found += await pages(catalog, words, {**category, **within, "sort_by": by})
    for words, query in (
        ("in stock, by name", {"in_stock": "true"}),
        ("in stock, 100 to 500, by name", {"in_stock": "true", **PRICES}),
        ("q=кефир, by name", {"q": "кефир"}),
        ("q=мол, by price", {"q": "мол", "sort_by": "price"}),
    ):
        found += await pages(catalog, words, query)
    return size, found


async def pages(catalog: Catalog, words: str, query: dict[str, Any]) -> list[Question]:
    """The first page, deep ones by ``skip``, and the last by its cursor."""
    asked = {**query, "limit": LIMIT}
    total = (await catalog.json("/products/", **asked))["total"]
    deep = [total * 9 // 10 + number * total // 200 for number in range(VARIANTS)]
    found = [
        Question(f"{words}; first", [_path(asked)]),
        Question(f"{words}; skip 90 %", [_path(asked | {"skip": skip}) for skip in deep]),
    ]
    before = await catalog.json("/products/", **asked, skip=max(0, total - LIMIT - 1))
    # A list of one page has no cursor.
    last = {"cursor": before["next_cursor"]} if before["next_cursor"] else {"skip": 0}
    return [*found, Question(f"{words}; last cursor", [_path(asked | last)])]


def _path(query: dict[str, Any]) -> str:
    return f"/products/?{urlencode(query)}"


async def run(urls: Sequence[str], *, rounds: int, calls: int, at_once: int) -> None:
    """Prints the table."""
    async with AsyncExitStack() as stack:
        catalogs: list[Catalog] = []
        for url in urls:
            session = aiohttp.ClientSession(url, headers=_headers())
            await stack.enter_async_context(session)
            pid = pid_at(urlsplit(url).port or 80)
            catalogs.append(await Catalog(session, pid).with_idle())
        found = [await questions(catalog) for catalog in catalogs]
        sizes = " | ".join(f"{size:,} products" for size, _ in found)
        print(f"load average before {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores\n")
        print(f"| page of {LIMIT} | {sizes} | largest to smallest |")
        print("|---|" + "---|" * (len(urls) + 1))
        for asked in zip(*(each for _, each in found), strict=True):
            took = await in_turns(catalogs, asked, rounds=rounds, calls=calls, at_once=at_once)
            print(row_of(asked[0].words, took), flush=True)
        print(f"\nload average after {os.getloadavg()[0]:.1f}")


async def in_turns(
    catalogs: Sequence[Catalog], asked: Sequence[Question], *, rounds: int, calls: int, at_once: int
) -> list[list[Round]]:
    """The rounds of each catalog; the first one, which warms it up, is not among them."""
    took: list[list[Round]] = [[] for _ in catalogs]
    for number in range(rounds + 1):
        places = list(range(len(catalogs)))
        for place in places if number % 2 else reversed(places):
            one = catalogs[place].round(asked[place].paths, calls=calls, at_once=at_once)
            took[place].append(await one)
    return [each[1:] for each in took]


def row_of(words: str, took: Sequence[Sequence[Round]]) -> str:
    """Medians of the rounds; a ratio belongs to one round."""
    cells = " | ".join(map(cell_of, took))
    ratios = [last.cpu / first.cpu for first, last in zip(took[0], took[-1], strict=True)]
    return f"| {words} | {cells} | {statistics.median(ratios):.2f} |"


def cell_of(rounds: Sequence[Round]) -> str:
    cpu = statistics.median(each.cpu for each in rounds) * 1e3
    rate = statistics.median(len(each.times) / each.seconds for each in rounds)
    p99 = statistics.quantiles([taken for each in rounds for taken in each.times], n=100)[98]
    return f"{cpu:.2f} · {rate:,.0f} · {p99 * 1e3:.0f}"


def _headers() -> dict[str, str]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.catalog")
    django.setup()
    from store.tokens import user_token

    token, _ = user_token("bench", is_admin=True)
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="What reading the catalogue costs, over HTTP.")
    parser.add_argument("urls", nargs="+", metavar="URL", help="catalogs, the smallest first")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=80, help="in each round, of each catalog")
    parser.add_argument("--at-once", type=int, default=8, help="connections under load")
    options = parser.parse_args(argv)
    limits = {"rounds": options.rounds, "calls": options.calls, "at_once": options.at_once}
    asyncio.run(run(options.urls, **limits))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
