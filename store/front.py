"""The landing page and Swagger UI where no gateway serves them: development and tests."""

from contextlib import closing
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.views.static import serve

PAGES = settings.BASE_DIR / "deploy" / "nginx" / "html"


def page(request: HttpRequest, name: str = "") -> HttpResponseBase:
    """A file of the gateway's pages; a folder shows its index."""
    if not name or name.endswith("/"):
        name += "index.html"
    # A file that is read in pieces, by a thread, is nothing that an event loop could send.
    with closing(cast(Any, serve(request, name, document_root=PAGES))) as file:
        whole = HttpResponse(file.getvalue(), status=file.status_code)
        whole.headers = file.headers
    return whole


urlpatterns = [path("", page), path("<path:name>", page)]
