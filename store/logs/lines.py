"""A log entry as one line: JSON for programs, a short one for people."""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from django.conf import settings

from store.logs.writer import STDOUT
from store.remembered import from_settings

JSON = "json"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_COLOURS = {"INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_IN_FRONT = {"time", "level", "service", "message", "exception", "trace_id"}

Entry = Mapping[str, Any]
"""``time``, ``level`` and ``service`` first, then whatever there is to say."""


def line_of(entry: Entry) -> bytes:
    """The line with its end; no text in an entry makes two of it."""
    if _is_json():
        return orjson.dumps(entry, option=_OPTIONS)
    return _for_people(entry).encode("utf-8", "backslashreplace")


@from_settings
def _is_json() -> bool:
    return bool(settings.LOG_FORMAT == JSON)


def _for_people(entry: Entry) -> str:
    at: datetime = entry["time"]
    level = _coloured(entry["level"])
    rest = " ".join(_plain(str(entry[name])) for name in entry if name not in _IN_FRONT)
    words = [_plain(entry["message"])] if "message" in entry else []
    line = " ".join([f"{at:%H:%M:%S}.{at.microsecond // 1000:03}", level, entry["service"], *words])
    trace = entry.get("exception", "")
    # Indented, no line of it can be taken for an entry of its own.
    more = "".join(f"\n    {_plain(each)}" for each in trace.splitlines())
    return f"{line} {rest}".rstrip() + more + "\n"


def _plain(text: str) -> str:
    """Without line ends and what else could steer a terminal."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _coloured(level: str) -> str:
    return f"\x1b[{_COLOURS.get(level, '0')}m{level}\x1b[0m" if _is_terminal() else level


@cache
def _is_terminal() -> bool:
    return os.isatty(STDOUT)
