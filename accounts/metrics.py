"""What accounts counts; no username is ever a label."""

from enum import StrEnum

from prometheus_client import Counter, Gauge


class LoginOutcome(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    THROTTLED = "throttled"
    BUSY = "busy"


USERS_REGISTERED = Counter("users_registered_total", "Users registered.")
LOGINS = Counter("logins_total", "Logins by their outcome.", ["outcome"])
for outcome in LoginOutcome:
    LOGINS.labels(outcome)
STREAMS_OPEN = Gauge("notification_streams_open", "Event streams that are open.")
PASSWORD_QUEUE = Gauge("password_queue_length", "Passwords being hashed or waiting for it.")
