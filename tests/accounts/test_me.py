"""What belongs to the caller, whatever becomes of the services that keep a part of it."""

import asyncio
from collections.abc import Callable

import httpx
import jwt
import pytest
from django.conf import settings

from store import tokens
from tests.accounts.conftest import Visitor
from tests.accounts.peers import CART, ORDERS, Handler, Peers, answering, late, refused

Auth = Callable[..., dict[str, str]]
Headers = dict[str, str]
ME = "/user-api/users/me"
MINE = [
    ("GET", ME),
    ("PUT", ME),
    ("GET", f"{ME}/profile"),
    ("GET", f"{ME}/orders"),
    ("POST", f"{ME}/orders"),
    ("GET", f"{ME}/cart"),
    ("GET", f"{ME}/total-spent"),
    ("GET", f"{ME}/notifications"),
    ("GET", f"{ME}/notifications/stream"),
]
ODD_ANSWERS = [
    answering(200, b"<html>"),
    answering(200, b'{"total": 1'),
    answering(200, b'"text"'),
    answering(200, b'{"total": "20.50", "items": []}'),
    answering(200, b'{"total": true, "items": []}'),
    answering(200, b'[{"id": 5}]'),
    answering(200, b"[null]"),
    answering(200, b"null"),
    answering(302, b"", Location="http://elsewhere/"),
    answering(500, b"{}"),
    answering(429, b'{"detail": "slow down", "code": "too_many_requests"}'),
    refused,
    late,
]


@pytest.fixture
def peers(shop: httpx.AsyncClient) -> Peers:
    peers = Peers()
    peers.take_over()
    return peers


@pytest.mark.parametrize(("method", "path"), MINE)
@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("nobody", 401),
        ("expired", 401),
        ("not registered", 401),
        ("an admin who is not registered", 401),
        ("another case", 401),
        ("an admin header", 401),
        ("X-User-ID alone", 401),
        ("a service for nobody", 403),
    ],
)
async def test_what_is_mine_is_nobody_elses(
    shop: httpx.AsyncClient,
    alice: Headers,
    auth: Auth,
    as_service: Auth,
    method: str,
    path: str,
    caller: str,
    status: int,
) -> None:
    headers: Headers = {
        "nobody": {},
        "expired": {"Authorization": f"Bearer {_expired('alice')}"},
        "not registered": auth("bob"),
        "an admin who is not registered": auth("boss", admin=True),
        "another case": auth("ALICE"),
        "an admin header": {"admin": "true"},
        "X-User-ID alone": {"X-User-ID": "alice"},
        "a service for nobody": as_service("carts", "accounts"),
    }[caller]

    answer = await shop.request(method, path, headers=headers)

    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)


async def test_a_role_is_not_a_person_in_demo_mode_either(demo_shop: httpx.AsyncClient) -> None:
    for method, path in MINE:
        answer = await demo_shop.request(method, path, headers={"admin": "true"})
        assert answer.status_code == 401


async def test_a_service_reads_for_a_user(
    shop: httpx.AsyncClient, alice: Headers, as_service: Auth
) -> None:
    answer = await shop.get(ME, headers=as_service("carts", "accounts", user="alice"))

    assert answer.json()["username"] == "alice"


@pytest.mark.parametrize("kind", ["json", "form"])
async def test_what_is_left_out_stays(shop: httpx.AsyncClient, alice: Headers, kind: str) -> None:
    before = (await shop.get(ME, headers=alice)).json()

    async def put(**fields: str) -> httpx.Response:
        if kind == "form":
            return await shop.put(ME, headers=alice, data=fields)
        return await shop.put(ME, headers=alice, json=fields)

    named = await put(full_name="Алиса")
    phoned = await put(phone="8 (800) 1-2")

    assert named.json() == before | {"full_name": "Алиса"}
    assert phoned.json() == before | {"full_name": "Алиса", "phone": "8 (800) 1-2"}
    assert (await shop.get(ME, headers=alice)).json() == phoned.json()


async def test_nothing_to_change_is_fine(shop: httpx.AsyncClient, alice: Headers) -> None:
    assert (await shop.put(ME, headers=alice, json={})).status_code == 200


async def test_nothing_else_can_be_changed(shop: httpx.AsyncClient, alice: Headers) -> None:
    before = (await shop.get(ME, headers=alice)).json()
    forged = {"username": "boss", "is_admin": True, "total_spent": 0.01, "id": "1", "password": "x"}

    answer = await shop.put(ME, headers=alice, json=forged)

    assert answer.json() == before


@pytest.mark.parametrize(
    "body", [{"full_name": ""}, {"phone": "12"}, {"phone": None}, {"full_name": 5}]
)
async def test_a_bad_change_changes_nothing(
    shop: httpx.AsyncClient, alice: Headers, body: dict[str, object]
) -> None:
    before = (await shop.get(ME, headers=alice)).json()

    answer = await shop.put(ME, headers=alice, json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == body.keys()
    assert (await shop.get(ME, headers=alice)).json() == before


async def test_the_profile_shows_cart_and_orders(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    me = (await shop.get(ME, headers=alice)).json()

    profile = (await shop.get(f"{ME}/profile", headers=alice)).json()

    order = ORDERS[0]
    shown = {name: order[name] for name in ("id", "status", "total", "created_at")}
    assert profile == me | {"current_cart_total": 20.5, "orders": [shown]}
    assert peers.together == 2


async def test_carts_and_orders_are_asked_for_the_user_by_a_service(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    await shop.get(f"{ME}/profile", headers=alice)

    for request in peers.asked:
        claims = tokens.verified_claims(request.headers["Authorization"].removeprefix("Bearer "))
        assert claims["sub"] == "service:accounts"
        assert request.headers["X-User-ID"] == "alice"
        assert "admin" not in request.headers


@pytest.mark.parametrize("odd", ODD_ANSWERS)
async def test_a_profile_without_carts_says_so(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, odd: Handler
) -> None:
    peers.cart = odd

    profile = (await shop.get(f"{ME}/profile", headers=alice)).json()

    assert (profile["current_cart_total"], profile["unavailable"]) == (0, ["carts"])
    assert len(profile["orders"]) == 1


@pytest.mark.parametrize("odd", ODD_ANSWERS)
async def test_a_profile_without_orders_says_so(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, odd: Handler
) -> None:
    peers.orders = odd

    profile = (await shop.get(f"{ME}/profile", headers=alice)).json()

    assert (profile["orders"], profile["unavailable"]) == ([], ["orders"])
    assert profile["current_cart_total"] == 20.5


async def test_a_profile_waits_no_longer_than_its_deadline(
    shop: httpx.AsyncClient, alice: Headers
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    peers = Peers()
    peers.__class__ = type("Stopped", (Peers,), {"__call__": staticmethod(never)})
    peers.take_over(profile_seconds=0.05)

    async with asyncio.timeout(2):
        profile = (await shop.get(f"{ME}/profile", headers=alice)).json()

    assert profile["unavailable"] == ["carts", "orders"]


async def test_the_cart_is_passed_through(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    assert (await shop.get(f"{ME}/cart", headers=alice)).json() == CART


async def test_orders_are_passed_through_page_by_page(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    link = '</order-api/orders/?limit=1&cursor=abc%3D>; rel="next"'
    peers.orders = lambda _: httpx.Response(200, json=ORDERS, headers={"Link": link})
    query = {"limit": "1", "status": "SHIPPING", "user_id": "bob", "cursor": "xyz="}

    answer = await shop.get(f"{ME}/orders", headers=alice, params=query)

    assert answer.json() == ORDERS
    assert answer.headers["Link"] == f'<{ME}/orders?limit=1&cursor=abc%3D>; rel="next"'
    del query["user_id"]
    assert dict(peers.asked[0].url.params) == query


@pytest.mark.parametrize("path", ["cart", "orders"])
@pytest.mark.parametrize(
    "odd",
    [
        refused,
        late,
        answering(500, b"{}"),
        answering(200, b"<html>"),
        answering(200, b"5"),
        answering(302, b"", Location="/x"),
    ],
)
async def test_without_the_service_behind_it_the_answer_is_503(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, path: str, odd: Handler
) -> None:
    peers.cart = peers.orders = odd

    answer = await shop.get(f"{ME}/{path}", headers=alice)

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert (await shop.get(ME, headers=alice)).status_code == 200


async def test_a_refusal_is_passed_through(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    body = b'{"detail": "This cursor is not valid.", "code": "bad_cursor"}'
    peers.orders = answering(400, body)

    answer = await shop.get(f"{ME}/orders?cursor=x", headers=alice)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


async def test_checkout_answers_the_order(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    answer = await shop.post(f"{ME}/orders", headers=alice)

    assert (answer.status_code, answer.json()) == (200, ORDERS[0])
    assert peers.asked[0].headers["X-User-ID"] == "alice"
    assert "Idempotency-Key" not in peers.asked[0].headers


@pytest.mark.parametrize(
    ("sent", "passed"), [("abc", '"abc"'), ('"abc"', '"abc"'), ('a"b', '"a"b"')]
)
async def test_checkout_passes_the_idempotency_key_on(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, sent: str, passed: str
) -> None:
    peers.checkout = lambda _: httpx.Response(
        200, json=ORDERS[0], headers={"Idempotent-Replayed": "true"}
    )

    answer = await shop.post(f"{ME}/orders", headers={**alice, "Idempotency-Key": sent})

    assert peers.asked[0].headers["Idempotency-Key"] == passed
    assert answer.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
async def test_a_bad_key_reaches_nobody(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, key: str
) -> None:
    answer = await shop.post(f"{ME}/orders", headers={**alice, "Idempotency-Key": key})

    assert answer.status_code == 400
    assert not peers.asked


@pytest.mark.parametrize("status", [400, 409, 422, 429])
async def test_what_checkout_is_refused_for_is_passed_through(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, status: int
) -> None:
    body = {"detail": "No.", "code": "why_not", "errors": {"items": ["2 left"]}, "left": {"a": 2}}
    headers = {"Retry-After": "7", "Idempotent-Replayed": "true"}
    peers.checkout = lambda _: httpx.Response(status, json=body, headers=headers)

    answer = await shop.post(f"{ME}/orders", headers=alice)

    assert (answer.status_code, answer.json()) == (status, body)
    assert {name: answer.headers[name] for name in headers} == headers


async def test_a_checkout_that_still_runs_is_told_as_carts_tells_it(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers
) -> None:
    body = {"detail": "The order is still being placed.", "code": "checkout_running"}
    peers.checkout = lambda _: httpx.Response(503, json=body, headers={"Retry-After": "7"})

    answer = await shop.post(f"{ME}/orders", headers=alice)

    assert (answer.status_code, answer.json()) == (503, body)
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("odd", [refused, late, answering(200, b"[]"), answering(502, b"")])
async def test_checkout_without_carts_is_503(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, odd: Handler
) -> None:
    peers.checkout = odd

    answer = await shop.post(f"{ME}/orders", headers=alice)

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 200), (b"{}", 200), (b" ", 200), (b'{"a": 1}', 400), (b"[", 400)]
)
async def test_checkout_needs_no_body(
    shop: httpx.AsyncClient, alice: Headers, peers: Peers, content: bytes, status: int
) -> None:
    headers = {**alice, "Content-Type": "application/json"}

    answer = await shop.post(f"{ME}/orders", headers=headers, content=content)

    assert answer.status_code == status
    assert len(peers.asked) == (status == 200)


async def test_nothing_is_spent_at_first(shop: httpx.AsyncClient, alice: Headers) -> None:
    assert (await shop.get(f"{ME}/total-spent", headers=alice)).json() == {"total_spent": 0}


async def test_a_wrong_verb_is_told_the_right_ones(
    shop: httpx.AsyncClient, visitor: Visitor, alice: Headers
) -> None:
    answer = await shop.delete(ME, headers=alice)

    assert answer.status_code == 405
    assert {"GET", "PUT"} <= set(answer.headers["Allow"].split(", "))


def _expired(username: str) -> str:
    claims = {"sub": username, "is_admin": False, "exp": 1}
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")
