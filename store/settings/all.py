"""The four services in one process, under the gateway's prefixes: development and tests."""

from store.settings import accounts, carts, cassandra, catalog, orders
from store.settings.accounts import *  # noqa: F403
from store.settings.base import PREFIXES, SHARED_APPS
from store.settings.carts import *  # noqa: F403
from store.settings.catalog import *  # noqa: F403
from store.settings.orders import *  # noqa: F403

SERVICES = ["catalog", "carts", "orders", "accounts"]
DATABASES = {
    **catalog.DATABASES,
    **carts.DATABASES,
    **orders.DATABASES,
    **accounts.DATABASES,
}
INSTALLED_APPS = [*SHARED_APPS, *SERVICES, *cassandra.apps(DATABASES)]
# They call each other without a socket; see store.http.
SERVICE_URLS = {name: f"local://shop{prefix}" for name, prefix in PREFIXES.items()}
