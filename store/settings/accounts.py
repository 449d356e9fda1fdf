"""The accounts service alone."""

from store.settings import cassandra, env
from store.settings.base import *  # noqa: F403
from store.settings.base import SHARED_APPS

SERVICES = ["accounts"]
DATABASES = cassandra.databases("accounts")
INSTALLED_APPS = [*SHARED_APPS, "accounts", *cassandra.apps(DATABASES)]

PASSWORD_ROUNDS = env.whole("PASSWORD_ROUNDS", 12, minimum=4)
PASSWORD_THREADS = env.whole("PASSWORD_THREADS", 2, minimum=1)
PASSWORD_QUEUE = env.whole("PASSWORD_QUEUE", 1000, minimum=1)
# Seconds that a password may wait for its thread; the gateway gives up after 10.
PASSWORD_PATIENCE = env.number("PASSWORD_PATIENCE", 5, minimum=0.1)

LOGIN_LIMIT_USER = env.whole("LOGIN_LIMIT_USER", 10, minimum=1)
LOGIN_LIMIT_ADDRESS = env.whole("LOGIN_LIMIT_ADDRESS", 100, minimum=1)
LOGIN_WINDOW = env.number("LOGIN_WINDOW", 300, minimum=1)

PROFILE_DEADLINE = env.number("PROFILE_DEADLINE", 2, minimum=0.05)

STREAMS_PER_USER = env.whole("STREAMS_PER_USER", 10, minimum=1)
STREAMS_LIMIT = env.whole("STREAMS_LIMIT", 1000, minimum=1)
STREAM_SILENCE = env.number("STREAM_SILENCE", 15, minimum=0.05)
