"""401 for those who have not said who they are, 403 for those who may not."""

from collections.abc import Callable

import httpx
import pytest

from store import tokens

Headers = dict[str, str]


def as_caller(kind: str) -> Headers:
    match kind.split():
        case ["user"]:
            token = tokens.user_token("alice", is_admin=False)[0]
        case ["admin"]:
            token = tokens.user_token("boss", is_admin=True)[0]
        case ["service", *_]:
            token = tokens.service_token("carts", "catalog")
        case _:
            return {"admin": "true"} if kind == "role" else {}
    headers = {"Authorization": f"Bearer {token}"}
    if "for" in kind:
        headers["X-User-ID"] = "alice"
    return headers | ({"admin": "true"} if kind.endswith("as admin") else {})


# Who calls, and the statuses of /anyone /caller /person /admin-only /service-only /person-or-admin.
OUTSIDE_DEMO_MODE = {
    "nobody": [200, 401, 401, 401, 401, 401],
    "role": [200, 401, 401, 401, 401, 401],
    "user": [200, 200, 200, 403, 403, 200],
    "admin": [200, 200, 200, 200, 403, 200],
    "service": [200, 200, 403, 403, 200, 403],
    "service for alice": [200, 200, 200, 403, 200, 200],
    "service as admin": [200, 200, 403, 200, 200, 200],
}
IN_DEMO_MODE = OUTSIDE_DEMO_MODE | {"role": [200, 200, 401, 200, 401, 200]}
PATHS = ["/anyone", "/caller", "/person", "/admin-only", "/service-only", "/person-or-admin"]


async def statuses(client: httpx.AsyncClient, kind: str) -> list[int]:
    return [(await client.get(path, headers=as_caller(kind))).status_code for path in PATHS]


@pytest.mark.parametrize("kind", OUTSIDE_DEMO_MODE)
async def test_who_may_call_what(client: httpx.AsyncClient, kind: str) -> None:
    assert await statuses(client, kind) == OUTSIDE_DEMO_MODE[kind]


@pytest.mark.parametrize("kind", IN_DEMO_MODE)
async def test_who_may_call_what_in_demo_mode(
    demo: None, client: httpx.AsyncClient, kind: str
) -> None:
    assert await statuses(client, kind) == IN_DEMO_MODE[kind]


async def test_a_401_says_bearer_and_a_403_does_not(
    client: httpx.AsyncClient, auth: Callable[..., Headers]
) -> None:
    nobody = await client.get("/admin-only")
    user = await client.get("/admin-only", headers=auth("alice"))

    assert nobody.headers["www-authenticate"] == "Bearer"
    assert nobody.json() == {
        "detail": "Credentials are missing or not valid.",
        "code": "not_authenticated",
    }
    assert "www-authenticate" not in user.headers
    assert user.json() == {"detail": "You may not do this.", "code": "forbidden"}
