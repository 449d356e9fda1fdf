"""What the services tell about themselves: their log and their traces."""

from store.settings import env

LOG_FORMAT = env.choice("LOG_FORMAT", "json", "text")
LOG_LEVEL = env.choice("LOG_LEVEL", "WARNING", "DEBUG", "INFO", "ERROR", "CRITICAL")
# The share of requests that are logged; failures of the shop are all logged, unless it is 0.
LOG_REQUESTS = env.number("LOG_REQUESTS", 1, maximum=1)
LOG_USERS = env.choice("LOG_USERS", "hash", "off")

# What servers and Django set up for themselves gives way to one form and one place.
_PASSED_ON: dict[str, object] = {"handlers": [], "propagate": True}
_SILENT: dict[str, object] = {"handlers": [], "propagate": False}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"log": {"class": "store.logs.records.Handler"}},
    "root": {"handlers": ["log"], "level": LOG_LEVEL},
    "loggers": {
        **dict.fromkeys(("django", "uvicorn", "uvicorn.error", "gunicorn.error"), _PASSED_ON),
        # Each would be a second line for a request.
        **dict.fromkeys(("uvicorn.access", "gunicorn.access", "django.server"), _SILENT),
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
    },
}

# The other OTEL_ variables are read by OpenTelemetry's SDK itself.
TRACES = not env.flag("OTEL_SDK_DISABLED") and bool(
    env.text("OTEL_EXPORTER_OTLP_ENDPOINT") or env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
)
