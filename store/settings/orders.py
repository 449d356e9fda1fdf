"""The orders service alone, and how long an order stays in each status."""

from store.settings import cassandra, env
from store.settings.base import *  # noqa: F403
from store.settings.base import SHARED_APPS

SERVICES = ["orders"]
DATABASES = cassandra.databases("orders")
INSTALLED_APPS = [*SHARED_APPS, "orders", *cassandra.apps(DATABASES)]

# Seconds, fractions allowed.
ORDER_PROCESSING_DELAY = env.number("ORDER_PROCESSING_DELAY", 5)
ORDER_SHIPPING_DELAY = env.number("ORDER_SHIPPING_DELAY", 5)
ORDER_DELIVERY_MIN = env.number("ORDER_DELIVERY_MIN", 60)
ORDER_DELIVERY_MAX = env.number("ORDER_DELIVERY_MAX", 300, minimum=ORDER_DELIVERY_MIN)
ORDER_RETENTION = env.number("ORDER_RETENTION", 300)
ORDER_CANCELLED_RETENTION = env.number("ORDER_CANCELLED_RETENTION", 24 * 3600)

MAX_OPEN_ORDERS_PER_USER = env.whole("MAX_OPEN_ORDERS_PER_USER", 1000, minimum=1)
