"""The catalog service alone."""

from store.settings import cassandra, env
from store.settings.base import *  # noqa: F403
from store.settings.base import SHARED_APPS

SERVICES = ["catalog"]
# With CASSANDRA_HOST; without it products are kept in memory.
DATABASES = cassandra.databases("catalog")
INSTALLED_APPS = [*SHARED_APPS, "catalog", *cassandra.apps(DATABASES)]
# In memory: how many seconds after its sale an order's stock can still be returned (longer than
# any order lives), and how many released and returned orders are known each.
RESERVATION_RETENTION = env.number("RESERVATION_RETENTION", 24 * 3600, minimum=60)
CLOSED_RESERVATIONS = env.whole("CLOSED_RESERVATIONS", 200_000, minimum=1000)
