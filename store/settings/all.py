"""The four services in one process, under the gateway's prefixes: development and tests."""

from store.settings import catalog
from store.settings.accounts import *  # noqa: F403
from store.settings.base import PREFIXES, SHARED_APPS
from store.settings.carts import *  # noqa: F403
from store.settings.catalog import *  # noqa: F403
from store.settings.orders import *  # noqa: F403

SERVICES = ["catalog", "carts", "orders", "accounts"]
INSTALLED_APPS = [*SHARED_APPS, *SERVICES, *catalog.STORE_APPS]
# The last of the modules above would win otherwise.
DATABASES = catalog.DATABASES
# They call each other without a socket; see store.http.
SERVICE_URLS = {name: f"local://shop{prefix}" for name, prefix in PREFIXES.items()}
