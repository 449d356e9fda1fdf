"""Puts the demo assortment, and more where wanted, into the running catalog."""

import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import chain
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.demo import DemoProduct, demo_products, more_products
from store import tokens, wire
from store.settings import base

# Small calls: the catalog keeps answering shoppers in between, and takes 256 KiB at most.
BATCH = 100
BATCH_BYTES = 200_000
# While one is answered the next are on their way.
CALLS = 4
TIMEOUT_SECONDS = 30.0
# A database that pauses for a moment does not end a long filling; what was sent is sent again.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Adds the demo products to the running catalog; those it has already stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--count", type=int, default=0, metavar="N", help="and N more, made up but plausible"
        )
        parser.add_argument("--url", default=_address(), help="the catalog (default: %(default)s)")

    def handle(self, *args: Any, count: int, url: str, **options: Any) -> None:
        if count < 0:
            raise CommandError("--count is a whole number from 0.")
        demo = demo_products()
        products = chain(demo, more_products(count))
        began_at = time.monotonic()
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
            created, existing = _seed(client, products, total=len(demo) + count)
        seconds = max(time.monotonic() - began_at, 0.001)
        rate = (created + existing) / seconds
        self.stdout.write(
            f"{created} products added, {existing} were there already: "
            f"{seconds:.1f} s, {rate:,.0f} a second."
        )


def _address() -> str:
    """Where the catalog runs. In ``settings.all`` services call each other without a socket."""
    address = str(settings.SERVICE_URLS["catalog"]).partition(",")[0]
    return base.REMOTE_URLS["catalog"] if address.startswith("local:") else address


def _seed(client: httpx.Client, products: Iterable[DemoProduct], *, total: int) -> tuple[int, int]:
    """How many were added, and how many were there already."""
    created = existing = 0
    with tqdm(total=total, unit=" products", unit_scale=True) as progress:
        for size, answer in _answers(client, products):
            created, existing = created + answer["created"], existing + answer["existing"]
            progress.update(size)
    return created, existing


def _answers(
    client: httpx.Client, products: Iterable[DemoProduct]
) -> Iterator[tuple[int, dict[str, int]]]:
    """Of each call how many products it had, and its answer; a few calls are under way at once."""
    with ThreadPoolExecutor(CALLS) as pool:
        waiting: deque[tuple[int, Future[dict[str, int]]]] = deque()
        for size, body in _batches(products):
            if len(waiting) == CALLS:
                size_then, call = waiting.popleft()
                yield size_then, call.result()
            waiting.append((size, pool.submit(_import, client, body)))
        for size, call in waiting:
            yield size, call.result()


def _batches(products: Iterable[DemoProduct]) -> Iterator[tuple[int, bytes]]:
    """The number of products of each call, and its body."""
    batch: list[bytes] = []
    for product in products:
        encoded = wire.encode(asdict(product))
        if len(batch) == BATCH or sum(map(len, batch)) + len(encoded) > BATCH_BYTES:
            yield len(batch), b'{"products":[%b]}' % b",".join(batch)
            batch = []
        batch.append(encoded)
    yield len(batch), b'{"products":[%b]}' % b",".join(batch)


def _import(client: httpx.Client, body: bytes) -> dict[str, int]:
    headers = {
        "Authorization": f"Bearer {tokens.service_token('catalog', 'catalog')}",
        "Content-Type": "application/json",
    }
    try:
        response = _posted(client, body, headers)
    except httpx.TransportError as error:
        raise CommandError(f"The catalog at {client.base_url} is away: {error}") from None
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise CommandError(f"The catalog at {client.base_url} has another SECRET_KEY.")
    if response.is_error:
        raise CommandError(f"The catalog answered {response.status_code}: {response.text[:500]}")
    try:
        answer: dict[str, int] = wire.decode(response.content)
    except wire.Malformed:
        raise CommandError(f"What runs at {client.base_url} is not the catalog.") from None
    return answer


def _posted(client: httpx.Client, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """The answer, or the last refusal when it is refused for PATIENCE_SECONDS."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        response = client.post("/products/import", content=body, headers=headers)
        if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until:
            return response
        time.sleep(float(response.headers.get("Retry-After", PAUSE_SECONDS)))
