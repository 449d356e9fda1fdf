"""``python -m tests.security.matrix`` writes docs/access.md: who gets what answer, everywhere.

Every endpoint of the four URLconfs is asked by every kind of caller with every method, for things
that belong to the first user. What is asked comes from the OpenAPI documents.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import environment  # noqa: F401  # a key, and the settings of tests

PAGE = Path(__file__).resolve().parents[2] / "docs" / "access.md"
SOMETHING = "6f0d2a3e-5c1b-4a57-9a0e-2f4c8c1d7b90"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# The pages of a service are for people with a session; here they are asked as programs ask.
KINDS = {
    "nobody": "no credentials at all",
    "owner": "the user whose cart, order and so on it is",
    "other": "another user, about what is not his",
    "admin": "an admin, by the token",
    "header": "a user with `admin: true`, demo mode off",
    "demo": "nobody with `admin: true`, demo mode on",
    "service": "another of the shop's services, for itself",
    "acting": "the same with `X-User-ID`, for the owner",
    "foreign": "a service's token made for another service, with `X-User-ID`",
    "x-user": "a user with `X-User-ID` of the owner",
    "expired": "an admin's token that ended a second ago",
    "forged": "an admin's token signed with another key",
}
HEAD = """# Who may do what

Every address of the four services, asked by every kind of caller with every method, in a shop
outside demo mode but in the column `demo`. Written by `python -m tests.security.matrix` and
compared with a running shop in every test run: an address that is not in here, or answers
otherwise, fails (`tests/security/test_matrix.py`). What is right is not decided here but in
`tests/contract/test_access.py`, which is written by hand.

A line is a method; methods that are answered alike share one. 2xx: done. 401: no credentials, or
bad ones. 403: not for this caller. 404: nothing there for this caller. 405: no such method.
400 and 409 stand where the caller may ask, and has nothing that fits (an empty cart).

| caller | who that is |
|---|---|
"""

Rows = list[tuple[str, list[int]]]


def headers_of(kind: str, service: str) -> dict[str, str]:
    from tests.contract import callers
    from tests.contract.callers import ADMIN_HEADER

    peer = "orders" if service != "orders" else "carts"
    bad = callers.bad_credentials(service)
    return {
        "nobody": {},
        "owner": callers.user("owner"),
        "other": callers.user("stranger"),
        "admin": callers.admin(),
        "header": callers.user("stranger") | ADMIN_HEADER,
        "demo": ADMIN_HEADER,
        "service": callers.service(peer, service),
        "acting": callers.service(peer, service, acting_for="owner"),
        "foreign": bad["a service's token for another service"],
        "x-user": callers.user("stranger") | {"X-User-ID": "owner"},
        "expired": bad["expired"],
        "forged": bad["a wrong key"],
    }[kind]


def paths(service: str) -> Iterator[str]:
    """Of the API and the pages, as in the OpenAPI documents; the admin by its root."""
    from store.urls import page_urls_of

    for entry in _flat(page_urls_of(service).urlpatterns):
        yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern))


def _flat(entries: list[Any]) -> Iterator[Any]:
    for entry in entries:
        if hasattr(entry, "url_patterns") and str(entry.pattern) != "admin/":
            yield from _flat(entry.url_patterns)
        else:
            yield entry


async def table(world: Any, service: str) -> dict[str, Rows]:
    """By path, what each caller is answered to each method."""
    return {path: await answers(world, service, path) for path in paths(service)}


async def answers(world: Any, service: str, path: str) -> Rows:
    """The statuses by kind of caller, for the methods that are answered alike together."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for method in METHODS:
        found = [await _status(world, service, method, path, kind) for kind in KINDS]
        alike.setdefault(tuple(found), []).append(method)
    return [(", ".join(methods), list(found)) for found, methods in alike.items()]


async def _status(world: Any, service: str, method: str, path: str, kind: str) -> int:
    from django.test import override_settings

    with override_settings(DEMO=kind == "demo"):
        return await _ask(world, service, method, path, headers_of(kind, service))


async def _ask(world: Any, service: str, method: str, path: str, headers: dict[str, str]) -> int:
    """A good request about fresh things of the owner, where there is such an operation."""
    from django.conf import settings

    from tests.contract.examples import example
    from tests.contract.operations import BY_NAME

    verb = "GET" if method == "HEAD" else method
    operation = BY_NAME.get(f"{service} {verb} {path}")
    if operation is None:
        url = settings.PREFIXES[service] + re.sub(r"{\w+}", SOMETHING, path)
        return int((await world.client.request(method, url, headers=headers)).status_code)
    if service in ("carts", "accounts"):
        for name in ("stranger", "boss"):
            await world.empty_cart(name)
    good = example(operation, await world.things_for(operation, "owner"))
    if method == "HEAD":
        return int((await world.client.head(good.url, headers=headers)).status_code)
    body = {"json": good.body} if good.body is not None else {}
    return int(await world.send(operation, good.url, headers=headers, **body))


def page(tables: dict[str, dict[str, Rows]]) -> str:
    """docs/access.md."""
    kinds = "\n".join(f"| `{kind}` | {who} |" for kind, who in KINDS.items())
    return HEAD + kinds + "\n" + "".join(map(_section, tables, tables.values()))


def _section(service: str, rows: dict[str, Rows]) -> str:
    heading = " | ".join(KINDS)
    lines = [
        f"\n## {service}\n",
        f"| address | method | {heading} |",
        "|---" * (len(KINDS) + 2) + "|",
    ]
    for path, found in rows.items():
        for methods, statuses in found:
            lines.append(f"| `{path}` | {methods} | {' | '.join(map(str, statuses))} |")
    return "\n".join(lines) + "\n"


async def _write() -> None:
    from django.conf import settings

    from tests.contract.conftest import SETTINGS, opened_shop, peopled

    async with opened_shop(SETTINGS) as client:
        world = await peopled(client)
        tables = {service: await table(world, service) for service in settings.PREFIXES}
    PAGE.write_text(page(tables))


def main() -> None:
    import django

    django.setup()
    logging.disable()  # each form without its token would be a line
    asyncio.run(_write())


if __name__ == "__main__":
    main()
