"""A node and a shop that have just started take long over what they do for the first time."""

import time

from deploy.cassandra.drill import Load

BUYERS = 4
JOURNEYS = 12
SECONDS = 60


def warm_up(url: str) -> None:
    """Some people buy, and repeat what was refused, until it is done. Raises TimeoutError."""
    ends_at = time.monotonic() + SECONDS
    with Load(url, BUYERS, pause=0.1) as load:
        while len(load.tally.journeys) < JOURNEYS:
            if time.monotonic() > ends_at:
                raise TimeoutError(f"{len(load.tally.journeys)} journeys in {SECONDS} s")
            time.sleep(0.1)
