"""What libraries and our own modules log, in the form of the log: one line a record."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings

from store import tracing
from store.correlation import request_id
from store.logs.lines import line_of
from store.logs.writer import writer

MAX_CHARACTERS = 16_000
HIDDEN = "[hidden]"
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT, wherever it stands
    r"|(?<=\?)[^\s'\"]*=[^\s'\"]*"  # a query string
    r"|(?<=://)[^\s/@]+(?=@)"  # a password in an address
    r"|(?:(?<=bearer )|(?<=basic ))[^\s'\",]+"
    r"|(?:(?<=password)|(?<=token)|(?<=cookie)|(?<=secret)|(?<=authorization))"
    r"['\"]?\s*[:=]\s*(?:bearer |basic )?['\"]?[^\s'\",;]+",
    re.IGNORECASE,
)

# JSON leaves these as they are, and some readers begin a new line there.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


class Handler(logging.Handler):
    """Hands records to the writer; takes of a record what is named here and no more."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = line_of(_entry(record))
        except Exception as error:
            # Not handleError: it would print the record's arguments as they are.
            line = line_of(_unreadable(record, error))
        writer.write(line, is_urgent=record.levelno >= logging.WARNING)


def _entry(record: logging.LogRecord) -> dict[str, Any]:
    entry = _head(record)
    entry["message"] = _safe(record.getMessage())
    if record.exc_info and record.exc_info[0] is not None:
        entry["exception"] = _safe(_formatter.formatException(record.exc_info))
    if name := request_id.get():
        entry["request_id"] = name
    if trace_id := tracing.tracer.trace_id():
        entry["trace_id"] = trace_id
    return entry


def _unreadable(record: logging.LogRecord, error: Exception) -> dict[str, Any]:
    return {**_head(record), "message": f"A record that cannot be read: {type(error).__name__}"}


def _head(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname,
        "service": process_name(),
        "logger": record.name,
    }


def process_name() -> str:
    """The service of this process; "shop" where it is all of them."""
    services = settings.SERVICES
    return str(services[0]) if len(services) == 1 else "shop"


def _safe(text: str) -> str:
    """Without secrets and half characters, and not endless."""
    for secret in _own_secrets():
        text = text.replace(secret, HIDDEN)
    text = _SECRETS.sub(HIDDEN, text[:MAX_CHARACTERS]).translate(_LINE_ENDS)
    return text.encode("utf-8", "backslashreplace").decode()


@cache
def _own_secrets() -> tuple[str, ...]:
    return tuple(secret for secret in _configured() if secret)


def _configured() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS
    for database in settings.DATABASES.values():
        yield str(database.get("PASSWORD", ""))


_formatter = logging.Formatter()
