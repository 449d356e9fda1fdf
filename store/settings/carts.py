"""The carts service alone."""

from store.settings import cassandra
from store.settings.base import *  # noqa: F403
from store.settings.base import SHARED_APPS

SERVICES = ["carts"]
DATABASES = cassandra.databases("carts")
INSTALLED_APPS = [*SHARED_APPS, "carts", *cassandra.apps(DATABASES)]
