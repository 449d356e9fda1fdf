"""Sends away whoever comes when no more can be done, before anything of his request is looked at.

A service that spends its time on saying no sells nothing: this costs a tenth of an answer.
"""

from functools import cache
from typing import Any

from django.conf import settings

from store import answers, metrics
from store.admission import SHED, Overloaded
from store.correlation import request_id_of
from store.lean import Headers, header_of
from store.middleware import marks_of_all


async def turn_away(scope: Any, send: Any) -> None:
    """Answers as any other refusal would, from bytes that were made before."""
    SHED.inc()
    metrics.http.count_turned_away(scope["method"], scope["scheme"])
    exchange, given = scope["exchange"], header_of(scope["headers"], b"x-request-id")
    exchange.status, exchange.request_id = 503, request_id_of(given.decode("latin1"))
    headers, body = _answer(is_demo=settings.DEMO)
    own = (b"x-request-id", exchange.request_id.encode())
    await send({"type": "http.response.start", "status": 503, "headers": [*headers, own]})
    await send({"type": "http.response.body", "body": body})


@cache
def _answer(*, is_demo: bool) -> tuple[Headers, bytes]:
    response = answers.json_response(answers.failure(Overloaded(), None))
    response.put(marks_of_all(is_demo=is_demo))
    return response.encoded(), response.content
