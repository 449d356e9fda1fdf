"""Every address: those there are, the verbs they know, and what is said at all the others."""

import re
from collections import defaultdict
from importlib import import_module
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from django.conf import settings

from store.urls import urls_of
from tests.contract import callers
from tests.contract.examples import example
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.world import Things, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERBS = {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "BREW"}
READING = {"GET", "HEAD"}
SYSTEM = {"/": READING | {"OPTIONS"}, "/health": READING, "/ready": READING, "/metrics": READING}
SERVICES = list(settings.PREFIXES)
NO_IDS = [
    *("5", "null", "undefined", "-1", "0", "..%2f..", "%00", "%20", "*", "%C3%A9"),
    *("6f0d2a3e5c1b4a579a0e2f4c8c1d7b90", "6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b9"),
    *("urn:uuid:6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90", "{6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90}"),
    *("6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90%0a", "6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7bzz"),
    *("6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90%20", quote("٦f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90")),
    *("1' OR '1'='1", "<script>", "x" * 10_000),
]
NOWHERE = [
    *("/nowhere", "/.env", "/.git/config", "/wp-login.php", "/products", "/Products/", "/cart"),
    *("//products/", "/products//", "/orders", "/users/", "/token/", "/health/", "/HEALTH", "/;"),
    *("/users/me/", "/metrics/", "/admin", "/docs", "/%00", "/%2e%2e/%2e%2e/etc/passwd", "/\u202e"),
]


def documented() -> dict[tuple[str, str], set[str]]:
    """The verbs of each service's paths, by the OpenAPI documents."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in OPERATIONS:
        found[each.service, each.path].add(each.verb)
    return found


def shown(verbs: set[str]) -> set[str]:
    return verbs | {"OPTIONS"} | ({"HEAD"} if "GET" in verbs else set())


ADDRESSES = [(service, path, shown(verbs)) for (service, path), verbs in documented().items()]
ADDRESSES += [(service, path, verbs) for service in SERVICES for path, verbs in SYSTEM.items()]
ADDRESSES += [(service, "/openapi.json", READING) for service in SERVICES]
WITH_IDS = [each for each in OPERATIONS if re.search(r"{\w+_id}", each.path)]
# Without the reservations: an order that the catalog does not know has no stock, and that is fine.
OF_THINGS = [each for each in WITH_IDS if not each.path.startswith("/reservations/")]


def url_of(service: str, path: str, things: Things) -> str:
    ids = {"order_id": things.order, "product_id": things.product, "item_id": things.line}
    return settings.PREFIXES[service] + path.format(**ids, category="Чай")


def allowed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("service", SERVICES)
async def test_the_document_has_every_route_and_no_other(service: str) -> None:
    routes = [str(each.pattern) for each in import_module(f"{service}.urls").urlpatterns]
    others = [str(each.pattern) for each in urls_of(service).urlpatterns]

    named = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) for route in routes}

    assert named == {path for of, path in documented() if of == service}
    assert {"/" + route for route in others} == {"/", *SYSTEM}


@pytest.mark.parametrize(("service", "path", "verbs"), ADDRESSES)
async def test_any_other_verb_is_405_and_says_which_there_are(
    world: World, things: Things, service: str, path: str, verbs: set[str]
) -> None:
    url = url_of(service, path, things)

    answers = [await world.client.request(verb, url) for verb in sorted(VERBS - verbs)]

    assert {each.status_code for each in answers} == {405}
    assert {each.json()["code"] for each in answers if each.content} == {"method_not_allowed"}
    assert [allowed(each) for each in answers] == [verbs] * len(answers)


@pytest.mark.parametrize(("service", "path"), documented())
async def test_options_tells_the_verbs_to_anyone(
    world: World, things: Things, service: str, path: str
) -> None:
    answer = await world.client.options(url_of(service, path, things))

    assert answer.status_code == 200
    assert allowed(answer) == shown(documented()[service, path])


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.verb == "GET"], ids=lambda each: each.name
)
async def test_head_is_get_without_its_body(
    world: World, things: Things, demo: None, operation: Operation
) -> None:
    good = example(operation, things)

    answer = await world.client.head(good.url, headers=good.headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda each: each.name)
async def test_an_id_that_is_no_uuid_is_404(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    body = {"json": good.body} if good.body is not None else {}
    before = await world.seen()

    found = {}
    for no_id in NO_IDS:
        url = settings.PREFIXES[operation.service] + re.sub(r"{\w+}", no_id, operation.path)
        answer = await world.client.request(operation.verb, url, headers=good.headers, **body)
        found[no_id] = (answer.status_code, answer.json()["code"])

    assert set(found.values()) == {(404, "not_found")}
    assert await world.seen() == before


@pytest.mark.parametrize("operation", OF_THINGS, ids=lambda each: each.name)
async def test_an_id_of_nothing_is_404_and_makes_nothing(
    world: World, things: Things, operation: Operation
) -> None:
    good = example(operation, things)
    body = {"json": good.body} if good.body is not None else {}
    url = operation.url(**dict.fromkeys(operation.path_parameters, UUID(int=0)))
    before = await world.seen()

    answer = await world.client.request(operation.verb, url, headers=good.headers, **body)

    assert answer.status_code == 404
    assert answer.json()["code"] in {"product_not_found", "item_not_found", "order_not_found"}
    assert await world.seen() == before


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("headers", [{}, callers.admin()], ids=["nobody", "admin"])
async def test_what_is_nowhere_is_404_in_json(
    world: World, service: str, headers: callers.Headers
) -> None:
    found = {}
    for path in NOWHERE:
        answer = await world.client.get(settings.PREFIXES[service] + path, headers=headers)
        found[path] = (answer.status_code, answer.json()["code"])

    assert {path: what for path, what in found.items() if what != (404, "not_found")} == {}


@pytest.mark.parametrize("category", ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 51, "x" * 10_000])
async def test_a_category_that_cannot_be_is_400(world: World, category: str) -> None:
    url = f"/api/products/by-category/{category}"

    answer = await world.client.get(url, headers=callers.user("owner"))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("service", SERVICES)
async def test_an_address_that_is_no_utf_8_is_400(world: World, service: str) -> None:
    for address in ("/%ff", "/health/%ed%a0%80", "/?%c0%80", "/?a=%ff"):
        answer = await world.client.get(settings.PREFIXES[service] + address)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
