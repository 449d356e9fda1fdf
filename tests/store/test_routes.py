"""Routes remembered lead where Django's own resolver leads."""

from uuid import UUID, uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, path

from store.routes import MAX_REMEMBERED, Routes


def view(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


class UrlConf:
    urlpatterns = [
        path("orders/", view, name="list"),
        path("orders/<id:order_id>", view, name="detail"),
        path("orders/<id:order_id>/cancel", view, name="cancel"),
        path("orders/<uuid:order_id>/lines/<uuid:line_id>", view, name="line"),
        path("by/<str:name>", view, name="by-name"),
        path("fixed/<uuid:order_id>", view, {"more": 1}, name="fixed"),
    ]


@pytest.fixture
def routes() -> Routes:
    return Routes(UrlConf)


def found(routes: Routes, text: str) -> tuple[str | None, dict[str, object]]:
    match, arguments = routes.resolve(text)
    return match.url_name, arguments


def test_the_same_path_leads_to_the_same_view_again(routes: Routes) -> None:
    assert found(routes, "/orders/") == found(routes, "/orders/") == ("list", {})


@pytest.mark.parametrize("rest", ["", "/cancel"])
def test_each_id_is_the_views_argument(routes: Routes, rest: str) -> None:
    name = "cancel" if rest else "detail"

    for order_id in (uuid4(), uuid4(), UUID(int=0)):
        expected = (name, {"order_id": order_id})
        assert found(routes, f"/orders/{order_id}{rest}") == expected
        assert found(routes, f"/orders/{str(order_id).upper()}{rest}") == expected


def test_ids_in_capitals_take_no_more_room_in_the_memory(routes: Routes) -> None:
    for _ in range(5):
        found(routes, f"/orders/{str(uuid4()).upper()}")

    assert list(routes._remembered) == ["/orders/<uuid>"]


def test_two_ids_in_a_path_are_two_arguments_every_time(routes: Routes) -> None:
    line_id = uuid4()

    for order_id in (uuid4(), uuid4()):
        expected = {"order_id": order_id, "line_id": line_id}
        assert found(routes, f"/orders/{order_id}/lines/{line_id}") == ("line", expected)


def test_a_name_that_is_an_id_stays_a_name(routes: Routes) -> None:
    for name in (str(uuid4()), str(uuid4()), "tea"):
        assert found(routes, f"/by/{name}") == ("by-name", {"name": name})


def test_arguments_of_the_route_itself_are_kept(routes: Routes) -> None:
    for order_id in (uuid4(), uuid4()):
        expected = {"order_id": order_id, "more": 1}
        assert found(routes, f"/fixed/{order_id}") == ("fixed", expected)


@pytest.mark.parametrize(
    "text", ["/orders/<uuid>", "/orders/<uuid>/cancel", "/orders/5", "/nowhere", "", "/orders"]
)
def test_what_django_does_not_find_is_not_found(routes: Routes, text: str) -> None:
    found(routes, f"/orders/{uuid4()}")
    found(routes, f"/orders/{uuid4()}/cancel")

    with pytest.raises(Resolver404):
        routes.resolve(text)


def test_the_memory_is_bounded(routes: Routes) -> None:
    for number in range(MAX_REMEMBERED * 2):
        found(routes, f"/by/{number}")
        found(routes, f"/orders/{uuid4()}/lines/{uuid4()}")

    assert len(routes._remembered) <= MAX_REMEMBERED
