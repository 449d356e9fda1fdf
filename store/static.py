"""Static files of the pages, wherever the service is seen."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix
from django.utils.decorators import async_only_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class PrefixedStorage(StaticFilesStorage):
    """Links to static files under the prefix of the present request.

    Django remembers STATIC_URL with the first prefix that it meets; one process may have four.
    """

    def url(self, name: str | None) -> str:
        return f"{get_script_prefix()}static/{quote(name or '')}"


@async_only_middleware
def static_files(get_response: GetResponse) -> GetResponse:
    """WhiteNoise, of which only the reading of a file leaves the event loop."""
    whitenoise = WhiteNoiseMiddleware()

    async def middleware(request: HttpRequest) -> HttpResponseBase:
        found = whitenoise.files.get(request.path_info)
        if found is None:
            return await get_response(request)
        return await sync_to_async(_read, thread_sensitive=False)(found, request)

    return middleware


def _read(found: object, request: HttpRequest) -> HttpResponse:
    """The file, a part of it, or the word that it has not changed."""
    answer = found.get_response(request.method, request.META)  # type: ignore[attr-defined]
    content = b""
    if answer.file is not None:
        with answer.file:
            content = answer.file.read()
    response = HttpResponse(content, status=int(answer.status))
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name] = value
    return response
