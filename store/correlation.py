"""What ties together all that one request leaves behind, in logs and in other services."""

import random
import re
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

_WELL_FORMED = re.compile(r"[A-Za-z0-9_.\-]{8,64}", re.ASCII)


def request_id_of(given: str) -> str:
    """The gateway's or caller's, where it looks like one; it goes into logs and headers."""
    return given if _WELL_FORMED.fullmatch(given) else f"{random.getrandbits(128):032x}"


class Exchange:
    """One request and its answer as the log will tell of it; filled in on the way."""

    __slots__ = ("is_client_gone", "request", "request_id", "status", "trace_id")

    def __init__(self) -> None:
        self.request: Any = None
        self.request_id = ""
        self.trace_id = ""
        self.status = 0  # no answer was made
        self.is_client_gone = False
