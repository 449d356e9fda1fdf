"""The environment of the test run, set before Django reads its settings."""

import os

os.environ.update(
    {
        "DJANGO_SETTINGS_MODULE": "store.settings.all",
        "SECRET_KEY": "a key for tests alone; long enough to be one",
        "SECRET_KEY_FALLBACKS": "the key before it; it is still good for verifying",
        "DEMO": os.environ.get("DEMO", "0"),
        "PASSWORD_ROUNDS": "4",
        "LOG_REQUESTS": "0",
    }
)
for name in ("CASSANDRA_HOST", "DATA_DIR", "STORE"):
    os.environ.pop(name, None)
