"""The routes: those of each service, and what all of them answer beside their own."""

from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, path

from store import front
from store.routes import Routes, routes_within

FRONT = "front"

# Without a gateway, in ``settings.all``, this process shows the landing page itself.
urlpatterns = front.urlpatterns
handler400 = "store.pages.bad_request"
handler403 = "store.pages.forbidden"
handler404 = "store.pages.not_found"
handler500 = "store.pages.our_fault"


class ServiceUrls:
    """The URLconf of one service for programs; in ``settings.all`` there are four in a process."""

    def __init__(self, service: str) -> None:
        from store import system

        self.urlpatterns: list[URLPattern | URLResolver] = [
            routes_within(service),
            path("", system.Root.as_view(), name="root"),
            path("health", system.health, name="health"),
            path("ready", system.ready, name="ready"),
            path("metrics", system.metrics, name="metrics"),
        ]


@cache
def routes_of(service: str) -> Routes:
    return Routes(urls_of(service))


@cache
def urls_of(service: str) -> Any:
    """What Django takes for a URLconf."""
    return "store.urls" if service == FRONT else ServiceUrls(service)


@cache
def page_urls_of(service: str) -> Any:
    """The same for people, with the pages; whoever serves programs alone never loads them."""
    from store.pages import PageUrls

    return "store.urls" if service == FRONT else PageUrls(service)
