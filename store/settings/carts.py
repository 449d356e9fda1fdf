"""The carts service alone."""

from store.settings.base import *  # noqa: F403
from store.settings.base import SHARED_APPS

SERVICES = ["carts"]
INSTALLED_APPS = [*SHARED_APPS, "carts"]
