"""``python -m tests.bench.catalogue``: what reading the catalogue costs, over HTTP.

Asks a running catalog, as it is and however many products it has: a product by id, categories and
pages of 20 in every order, at every depth. It changes nothing. SECRET_KEY is that of the service.

    manage.py seed_products --count 1000000
    python -m tests.bench.catalogue --url http://127.0.0.1:8000
"""

import argparse
import asyncio
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

LIMIT = 20
# Different ones of the same kind, so that not one page alone is measured.
VARIANTS = 16
PRICES = {"min_price": 100, "max_price": 500}
WARM_UP = 20


@dataclass(frozen=True)
class Question:
    """What is asked, in as many variants as it has."""

    words: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """Milliseconds of the service's CPU a call, calls a second, milliseconds."""

    cpu: float
    rate: float
    p99: float


class Catalog:
    """A running one, asked as an admin."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def text(self, path: str) -> str:
        async with self._session.get(path) as answer:
            body = await answer.text()
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status} {body[:200]}")
            return body

    async def json(self, path: str, **query: Any) -> Any:
        async with self._session.get(path, params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def measure(self, paths: Sequence[str], *, seconds: float, at_once: int) -> Measured:
        for path in paths[:WARM_UP]:
            await self.text(path)
        cpu_before = await self.metric("process_cpu_seconds_total")
        times, rate = await self._load(paths, seconds=seconds, at_once=at_once)
        cpu = await self.metric("process_cpu_seconds_total") - cpu_before
        p99 = statistics.quantiles(times, n=100)[98]
        return Measured(cpu / len(times) * 1e3, rate, p99 * 1e3)

    async def metric(self, name: str) -> float:
        """0 where the service does not tell it."""
        found = re.search(rf"^{name} (\S+)", await self.text("/metrics"), re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def _load(
        self, paths: Sequence[str], *, seconds: float, at_once: int
    ) -> tuple[list[float], float]:
        times: list[float] = []
        began_at = time.perf_counter()

        async def ask() -> None:
            while (now := time.perf_counter()) < began_at + seconds or len(times) < 2:
                await self.text(random.choice(paths))
                times.append(time.perf_counter() - now)

        await asyncio.gather(*(ask() for _ in range(at_once)))
        return times, len(times) / (time.perf_counter() - began_at)


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
    if total > LIMIT:
        before = await catalog.json("/products/", **asked, skip=max(0, total - LIMIT - 1))
        last = asked | {"cursor": before["next_cursor"]}
        found.append(Question(f"{words}; last cursor", [_path(last)]))
    return found


def _path(query: dict[str, Any]) -> str:
    return f"/products/?{urlencode(query)}"


async def run(url: str, *, seconds: float, at_once: int) -> None:
    """Prints the table."""
    async with aiohttp.ClientSession(url, headers=_headers()) as session:
        catalog = Catalog(session)
        size, asked = await questions(catalog)
        resident = await catalog.metric("process_resident_memory_bytes") / 1e6
        load = os.getloadavg()[0]
        print(f"{size} products, {resident:.0f} MB resident; load average before {load:.1f}\n")
        print(f"| page of 20 | service's CPU, ms | {at_once} at once: calls/s | p99, ms |")
        print("|---|---|---|---|")
        for question in asked:
            took = await catalog.measure(question.paths, seconds=seconds, at_once=at_once)
            row = f"| {question.words} | {took.cpu:.3f} | {took.rate:,.0f} | {took.p99:.1f} |"
            print(row, flush=True)


def _headers() -> dict[str, str]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings.catalog")
    django.setup()
    from store.tokens import user_token

    token, _ = user_token("bench", is_admin=True)
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="What reading the catalogue costs, over HTTP.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each line")
    parser.add_argument("--at-once", type=int, default=8, help="connections under load")
    options = parser.parse_args(argv)
    asyncio.run(run(options.url, seconds=options.seconds, at_once=options.at_once))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
