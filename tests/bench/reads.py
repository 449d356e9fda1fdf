"""P2, P3 and P4b: each read, and add-to-cart, beside the twin and beside the bare limit."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.load import CONNECTIONS, Asked, Compared, LoadFailed, asked, compare, generator
from tests.bench.servers import Server, bare, server, services
from tests.bench.state import Looked, fill, keep_for_twin, same_answer

TWIN = "tests.bench.twin:app"
HEAD = "             of the twin  (spread)  us a request: ours, twin, bare; of the bare rate"


@dataclass(frozen=True)
class Row:
    """One figure: ours beside the twin and, for reads, beside the bare application."""

    name: str
    twin: Compared
    bare: Compared | None


def measured(*, rounds: int, seconds: float) -> Iterator[Row]:
    """Raises LoadFailed when the two sides do not give the same answers."""
    with tempfile.TemporaryDirectory() as folder, services() as running:
        urls = {name: each.url for name, each in running.items()}
        looked = fill(urls)
        held = Path(folder, "held.json")
        keep_for_twin(urls, looked, held)
        own = {"BENCH_TWIN": str(held)}
        with (
            server(TWIN, ready="/ready", **own) as catalog,
            server(TWIN, ready="/ready", BACKEND_URL=catalog.url, **own) as twin,
        ):
            for name, (service, path) in looked.paths.items():
                ours = asked(running[service], path, looked.headers)
                theirs = asked(twin, path, looked.headers)
                body = _checked(ours, theirs)
                beside_twin = compare(ours, theirs, rounds=rounds, seconds=seconds)
                with bare(body, Path(folder)) as limit:
                    beside_bare = compare(
                        ours, asked(limit, "/", {}), rounds=rounds, seconds=seconds
                    )
                yield Row(name, beside_twin, beside_bare)
            yield _adding(running["carts"], twin, looked, rounds=rounds, seconds=seconds)


def _adding(carts: Server, twin: Server, looked: Looked, *, rounds: int, seconds: float) -> Row:
    headers = {"Content-Type": "application/json"}
    ours, theirs = (
        asked(side, "/cart/items", headers, looked.new_item, looked.buyers)
        for side in (carts, twin)
    )
    return Row("add to cart", compare(ours, theirs, rounds=rounds, seconds=seconds), None)


def _checked(ours: Asked, theirs: Asked) -> bytes:
    answers = [httpx.get(side.url, headers=dict(side.headers)) for side in (ours, theirs)]
    if any(answer.status_code != 200 for answer in answers):
        raise LoadFailed(f"{ours.url}: {[answer.text for answer in answers]}")
    if not same_answer(answers[0].content, answers[1].content):
        raise LoadFailed(f"{ours.url}: the twin answers otherwise: {answers[1].text}")
    return answers[0].content


def line_of(row: Row) -> str:
    """A line of the table: medians, with the spread of the rates' ratio."""
    ours, theirs = row.twin.costs
    spread = f"({row.twin.ratios[0]:.2f} to {row.twin.ratios[-1]:.2f})"
    line = f"{row.name:12} {row.twin.ratio:5.2f} {spread:16} {ours * 1e6:5.0f} {theirs * 1e6:5.0f}"
    if row.bare is None:
        return line
    return f"{line} {row.bare.costs[1] * 1e6:5.0f} {row.bare.ratio:7.1%}"


def main() -> None:
    rounds, seconds = int(os.environ.get("BENCH_ROUNDS") or 3), 2.0
    print(f"{generator()}, {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s a side")
    print(HEAD)
    for row in measured(rounds=rounds, seconds=seconds):
        print(line_of(row), flush=True)


if __name__ == "__main__":
    main()
