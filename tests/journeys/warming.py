"""A node and a shop that have just started take long over what they do for the first time."""

import time

from deploy.cassandra.drill import Load
from deploy.local.trial import Trial

BUYERS = 4
JOURNEYS = 12
SECONDS = 60


def warm_up(shop: Trial) -> None:
    """Some people buy, and repeat what was refused, until it is done. Raises TimeoutError.

    Not before the catalog is ready: a shop opens without a Cassandra that is slow to come, and
    a catalogue in which somebody was faster than the demo products does not get them.
    """
    ends_at = time.monotonic() + SECONDS
    shop.wait_until(lambda: shop.is_ready("catalog"), seconds=SECONDS)
    with Load(shop.url, BUYERS, pause=0.1) as load:
        while len(load.tally.journeys) < JOURNEYS:
            if time.monotonic() > ends_at:
                raise TimeoutError(f"{len(load.tally.journeys)} journeys in {SECONDS} s")
            time.sleep(0.1)
