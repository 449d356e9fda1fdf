"""``make bench``: the table of docs/performance.md, measured on this machine, and a picture of it.

``make bench`` measures everything, which takes some eight minutes; names of parts, as in
``python -m tests.bench reads rush``, measure those alone.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx

from tests.bench import in_flight, journeys, last_units, observing, reads, storm
from tests.bench.bars import Figure, picture
from tests.bench.load import generator

ROUNDS, SECONDS = 3, 2.0
MOST_MEGABYTES = 290


def _reads() -> Iterator[Figure]:
    print(reads.HEAD)
    for row in reads.measured(rounds=ROUNDS, seconds=SECONDS):
        print(reads.line_of(row), flush=True)
        yield Figure(f"{row.name}, of the twin's rate", row.twin.ratio, 1, f"{row.twin.ratio:.2f}")
        if row.bare:
            share = row.bare.ratio
            yield Figure(f"{row.name}, of the bare rate", share, 0.2, f"{share:.0%}")


def _journeys() -> Iterator[Figure]:
    with_journal = journeys.measured(seconds=8)
    print(journeys.line_of("with journal", with_journal), flush=True)
    without = journeys.measured(seconds=8, **journeys.WITHOUT_JOURNAL)
    print(journeys.line_of("without journal", without), flush=True)
    found = with_journal.journeys
    p99, megabytes = found.quantile(0.99), with_journal.resident / 2**20
    opened = with_journal.started_within
    yield Figure("journeys a second", found.per_second, 330, f"{found.per_second:.0f}/s")
    yield Figure("p99 of a journey", p99, 0.12, f"{p99 * 1e3:.0f} ms", at_most=True)
    yield Figure("time to ready", opened, 3, f"{opened:.1f} s", at_most=True)
    text = f"{megabytes:.0f} MB"
    yield Figure("memory of four services", megabytes, MOST_MEGABYTES, text, at_most=True)


def _storm() -> Iterator[Figure]:
    weather = storm.measured(seconds=10)
    print("\n".join(storm.lines_of(weather)), flush=True)
    yield Figure(
        "p99 in a storm of logins", weather.ratio, 2, f"{weather.ratio:.1f} x", at_most=True
    )


def _rush() -> Iterator[Figure]:
    rush = last_units.measured()
    print(f"{last_units.PEOPLE} checkouts: {dict(rush.statuses)}, {rush.left} left", flush=True)
    if (rush.sold, rush.left) != (last_units.UNITS, 0):
        raise RuntimeError("not exactly the last units were sold")
    text = f"{rush.seconds:.0f} s"
    yield Figure("10,000 for the last 100 units", rush.seconds, 60, text, at_most=True)


def _flight() -> Iterator[Figure]:
    flight = in_flight.measured()
    print(f"{flight.steps} steps while {in_flight.ORDERS} orders are in flight", flush=True)
    late = f"<= {flight.p99 * 1e3:.0f} ms"
    yield Figure("p99 lateness of a step", flight.p99, 0.1, late, at_most=True)
    memory = flight.memory
    yield Figure("memory an order", memory, 1500, f"{memory:.0f} bytes", at_most=True)


def _observing() -> Iterator[Figure]:
    share = observing.cost("cart", rounds=7, seconds=1)
    yield Figure("cost of logs and metrics", share, 0.1, f"{share:.1%}", at_most=True)


PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "reads": _reads,
    "journeys": _journeys,
    "storm": _storm,
    "rush": _rush,
    "flight": _flight,
    "observing": _observing,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all without")
    parts = parser.parse_args().parts or list(PARTS)
    print(_machine())
    figures: list[Figure] = []
    for part in parts:
        print(f"\n{part}")
        try:
            figures.extend(PARTS[part]())
        except (RuntimeError, httpx.HTTPError) as failed:
            print(f"no figure, but an error: {failed}")
    print(f"\n{picture(figures)}\n{_machine()}")


def _machine() -> str:
    """Everything a figure has to be read with."""
    git = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    system = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    command = " ".join(["python -m tests.bench", *sys.argv[1:]])
    return f"{system}, {generator()}, load {loads}, commit {commit or 'unknown'}: {command}"


if __name__ == "__main__":
    main()
