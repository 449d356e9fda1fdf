"""docs/access.md is what the shop does: each address, each method, each kind of caller."""

import re

import pytest
from django.conf import settings

from carts.views import AllCarts
from orders.views import OrderCancellation
from store import docs
from store.permissions import AllowAny
from tests.contract.operations import OPERATIONS
from tests.contract.world import World
from tests.security import matrix

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ROW = re.compile(r"\| `(/\S*)` \| ([A-Z, ]+) \| ([\d |]+) \|")
Rows = dict[tuple[str, str], list[int]]


def shown(text: str) -> dict[str, Rows]:
    """The statuses of a page like docs/access.md by service, path and method."""
    tables = {}
    for section in text.split("\n## ")[1:]:
        rows: Rows = {}
        for path, methods, statuses in ROW.findall(section):
            for method in methods.split(", "):
                rows[path, method] = [int(each) for each in statuses.split(" | ")]
        tables[section.split("\n")[0]] = rows
    return tables


COMMITTED = shown(matrix.PAGE.read_text())


def differences(committed: Rows, found: Rows) -> set[tuple[str, str]]:
    both = committed.keys() | found.keys()
    return {each for each in both if committed.get(each) != found.get(each)}


async def found_at(world: World, service: str, path: str) -> Rows:
    rows = {path: await matrix.answers(world, service, path)}
    return shown(matrix.page({service: rows}))[service]


async def test_every_documented_operation_has_a_row() -> None:
    missing = [
        each.name for each in OPERATIONS if (each.path, each.verb) not in COMMITTED[each.service]
    ]

    assert missing == []


async def test_every_answer_of_the_page_is_in_the_documents() -> None:
    undocumented = {
        (each.name, status)
        for each in OPERATIONS
        for status in COMMITTED[each.service][each.path, each.verb]
        if str(status) not in described(each.service, each.path, each.verb)
    }

    # Outside demo mode it is not there at all.
    assert undocumented == {("accounts GET /swagger-admin-token", 404)}


def described(service: str, path: str, verb: str) -> set[str]:
    operation = docs.operations(service)["paths"][path][verb.lower()]
    return set(operation["responses"])


async def test_the_page_is_written_by_the_command_whole() -> None:
    text = matrix.PAGE.read_text()

    assert text.startswith(matrix.page({}))
    assert {len(row) for rows in COMMITTED.values() for row in rows.values()} == {len(matrix.KINDS)}


@pytest.mark.parametrize("service", settings.PREFIXES)
async def test_the_page_says_what_the_shop_answers(world: World, service: str) -> None:
    found = shown(matrix.page({service: await matrix.table(world, service)}))[service]

    assert differences(COMMITTED[service], found) == set()


async def test_a_guard_that_was_forgotten_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AllCarts, "permission_classes", [AllowAny])

    found = await found_at(world, "carts", "/carts/")

    wrong = differences(COMMITTED["carts"], COMMITTED["carts"] | found)
    assert wrong == {("/carts/", "GET"), ("/carts/", "HEAD")}


async def test_an_owner_who_is_not_asked_for_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrderCancellation, "permission_classes", [AllowAny])

    found = await found_at(world, "orders", "/orders/{order_id}/cancel")

    wrong = differences(COMMITTED["orders"], COMMITTED["orders"] | found)
    assert ("/orders/{order_id}/cancel", "PUT") in wrong


async def test_an_address_without_a_row_is_found() -> None:
    new = {("/carts/secrets", "GET"): [200] * len(matrix.KINDS)}

    assert differences(COMMITTED["carts"], COMMITTED["carts"] | new) == set(new)
