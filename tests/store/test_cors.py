"""What a page of another origin may ask for, by the settings as they are shipped."""

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from store.middleware import cors

ORIGIN = "https://shop.example"


async def preflight(origin: str, *, headers: str) -> HttpResponseBase:
    async def get_response(_: object) -> HttpResponseBase:
        return HttpResponse()

    request = RequestFactory().options(
        "/",
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
    )
    return await cors(get_response)(request)


@pytest.mark.parametrize(
    "header", ["authorization", "content-type", "idempotency-key", "last-event-id"]
)
async def test_a_page_may_send_what_the_api_reads(settings: LazySettings, header: str) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    answer = await preflight(ORIGIN, headers=header)

    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert header in answer.headers["Access-Control-Allow-Headers"].split(", ")


async def test_an_origin_that_is_not_named_is_told_nothing(settings: LazySettings) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    answer = await preflight("https://evil.example", headers="authorization")

    assert "Access-Control-Allow-Origin" not in answer.headers
