"""``python -m tests.bench.guard``: whether a read has become dearer since its cost was committed.

A cost is how many times the processor time of the bare application a read takes, both measured
here and now in rounds that take turns, so that it says much the same on any machine. What is more
than 15 % dearer than in ``committed.json`` is a warning and never a failure; ``--commit`` writes
the costs of today.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.bench.load import Rate, asked, rate
from tests.bench.servers import bare, services
from tests.bench.state import fill

COMMITTED = Path(__file__).with_name("committed.json")
MOST_DEARER = 1.15
ROUNDS, SECONDS = 3, 1


def measured() -> dict[str, float]:
    """The cost of each read. Raises RuntimeError, such as LoadFailed."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, services() as running:
        looked = fill({name: each.url for name, each in running.items()})
        for name, (service, path) in looked.paths.items():
            ours = asked(running[service], path, looked.headers)
            body = httpx.get(ours.url, headers=looked.headers).raise_for_status().content
            rate(ours, seconds=SECONDS)  # for warming up
            with bare(body, Path(folder)) as limit:
                sides = ours, asked(limit, "/", {})
                rounds = [[rate(side, seconds=SECONDS) for side in sides] for _ in range(ROUNDS)]
            mine, theirs = zip(*rounds, strict=True)
            found[name] = _least(mine) / _least(theirs)
    return found


def _least(rates: tuple[Rate, ...]) -> float:
    """Whatever else runs on the machine only ever adds to it."""
    return min(each.cost for each in rates)


def warnings(found: Mapping[str, float], committed: Mapping[str, float]) -> list[str]:
    return [
        f"warning: {name} takes {cost:.2f} times the bare application, {committed[name]:.2f}"
        " when that was committed"
        for name, cost in found.items()
        if name in committed and cost > committed[name] * MOST_DEARER
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commit", action="store_true")
    is_new = parser.parse_args().commit
    try:
        found = measured()
    except (RuntimeError, httpx.HTTPError) as error:
        print(f"warning: the reads could not be measured: {error}")
        return
    for name, cost in found.items():
        print(f"{name:12} {cost:5.2f} times the bare application")
    if is_new:
        rounded = {name: round(cost, 2) for name, cost in found.items()}
        COMMITTED.write_text(json.dumps(rounded, indent=4) + "\n")
    print("\n".join(warnings(found, json.loads(COMMITTED.read_text())) or ["none is dearer"]))


if __name__ == "__main__":
    main()
