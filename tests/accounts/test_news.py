"""News of orders over HTTP: from the orders service to a person's list and live stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import LazySettings

from accounts.apps import accounts
from store import lifespan
from store.asgi import application
from tests.accounts.conftest import ON_BOTH

pytestmark = ON_BOTH

Auth = Callable[..., dict[str, str]]
Headers = dict[str, str]
NOTIFY = "/user-api/users/notify/order-status"
ME = "/user-api/users/me"
STREAM = f"{ME}/notifications/stream"


def news(version: int = 1, status: str = "CREATED", **fields: object) -> dict[str, object]:
    step = {
        "order_id": str(uuid4()),
        "user_id": "alice",
        "status": status,
        "updated_at": f"2026-07-25T19:00:{version:02d}Z",
        "total": 100.5,
        "version": version,
    }
    return step | fields


class Orders:
    """The orders service."""

    def __init__(self, shop: httpx.AsyncClient, headers: Headers) -> None:
        self._shop = shop
        self._headers = headers

    async def tell(self, step: dict[str, object]) -> httpx.Response:
        return await self._shop.post(NOTIFY, json=step, headers=self._headers)

    async def tell_all(self, steps: list[dict[str, object]]) -> httpx.Response:
        url, body = NOTIFY.replace("status", "statuses"), {"updates": steps}
        return await self._shop.post(url, json=body, headers=self._headers)


@pytest.fixture
def orders(shop: httpx.AsyncClient, as_service: Auth) -> Orders:
    return Orders(shop, as_service("orders", "accounts"))


async def test_news_reach_the_list_and_the_total(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    step = news()

    answer = await orders.tell(step)

    assert answer.status_code == 200
    assert answer.json().keys() == {"message"}
    listed = (await shop.get(f"{ME}/notifications", headers=alice)).json()
    assert listed == [
        {
            "order_id": step["order_id"],
            "status": "CREATED",
            "updated_at": "2026-07-25T19:00:01Z",
            "total": 100.5,
        }
    ]
    assert (await shop.get(f"{ME}/total-spent", headers=alice)).json() == {"total_spent": 100.5}
    assert (await shop.get(ME, headers=alice)).json()["total_spent"] == 100.5


async def test_repeated_and_late_news_change_nothing(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    order = str(uuid4())
    steps = [news(v, s, order_id=order) for v, s in ((2, "PROCESSING"), (1, "CREATED"))]

    answers = [await orders.tell(step) for step in steps * 3]

    assert {answer.status_code for answer in answers} == {200}
    listed = (await shop.get(f"{ME}/notifications", headers=alice)).json()
    assert [step["status"] for step in listed] == ["PROCESSING"]
    assert (await shop.get(f"{ME}/total-spent", headers=alice)).json() == {"total_spent": 100.5}


async def test_news_of_many_orders_come_in_one_message(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    order, known = str(uuid4()), news(total=7)
    await orders.tell(known)
    steps = [news(1, order_id=order), known, news(2, "PROCESSING", order_id=order)]

    answer = await orders.tell_all(steps)

    assert (answer.status_code, answer.json()) == (200, {"noted": 2})
    listed = (await shop.get(f"{ME}/notifications", headers=alice)).json()
    assert [step["status"] for step in listed] == ["PROCESSING", "CREATED", "CREATED"]
    assert (await shop.get(f"{ME}/total-spent", headers=alice)).json() == {"total_spent": 107.5}


async def test_of_many_news_with_a_wrong_one_none_is_noted(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    answer = await orders.tell_all([news(), news(status="LOST")])

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"updates.1.status"}
    assert (await shop.get(f"{ME}/notifications", headers=alice)).json() == []


@pytest.mark.parametrize("number", [0, 101])
async def test_a_message_has_one_to_a_hundred_news(orders: Orders, number: int) -> None:
    answer = await orders.tell_all([news() for _ in range(number)])

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


async def test_many_senders_at_once_count_once(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    order = str(uuid4())
    path = ("CREATED", "PROCESSING", "CANCELLED")
    steps = [news(v, s, order_id=order) for v, s in enumerate(path, start=1)] + [news(total=7)]

    await asyncio.gather(*(orders.tell(step) for step in steps * 5))

    assert (await shop.get(f"{ME}/total-spent", headers=alice)).json() == {"total_spent": 7}


async def test_the_newest_comes_first_and_a_hundred_are_kept(
    shop: httpx.AsyncClient, alice: Headers, orders: Orders
) -> None:
    for second in range(50):
        await orders.tell(news(updated_at=f"2026-07-25T19:01:{second:02d}Z"))
        await orders.tell(news(updated_at=f"2026-07-25T19:00:{second:02d}Z"))
    await orders.tell(news(updated_at="2026-07-25T20:00:00Z"))

    listed = (await shop.get(f"{ME}/notifications", headers=alice)).json()

    times = [step["updated_at"] for step in listed]
    assert len(times) == 100
    assert times == sorted(times, reverse=True)
    assert times[0] == "2026-07-25T20:00:00Z"


async def test_an_unknown_user_is_accepted(shop: httpx.AsyncClient, orders: Orders) -> None:
    assert (await orders.tell(news(user_id="nobody.yet"))).status_code == 200


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("nobody", 401),
        ("the admin header", 401),
        ("user", 403),
        ("admin", 403),
        ("another service", 403),
        ("another service as admin", 403),
        ("orders, for another service", 401),
    ],
)
async def test_only_orders_tell_news_of_orders(
    shop: httpx.AsyncClient, auth: Auth, as_service: Auth, caller: str, status: int
) -> None:
    headers: Headers = {
        "nobody": {},
        "the admin header": {"admin": "true"},
        "user": auth("alice"),
        "admin": auth("boss", admin=True),
        "another service": as_service("carts", "accounts"),
        "another service as admin": {**as_service("catalog", "accounts"), "admin": "true"},
        "orders, for another service": as_service("orders", "carts"),
    }[caller]

    assert (await shop.post(NOTIFY, json=news(), headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", "5"),
        ("order_id", 5),
        ("user_id", ""),
        ("user_id", 5),
        ("status", "LOST"),
        ("status", None),
        ("updated_at", "yesterday"),
        ("updated_at", 5),
        ("updated_at", "0001-01-01T00:00:00+14:00"),
        ("total", -1),
        ("total", "100"),
        ("total", 0.001),
        ("version", 0),
        ("version", 1.5),
        ("version", True),
    ],
)
async def test_odd_news_are_refused(orders: Orders, field: str, value: object) -> None:
    answer = await orders.tell(news() | {field: value})

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {field}


class Listener:
    """A client of the event stream, on the ASGI application itself: httpx waits for the end."""

    def __init__(self, headers: Headers, *, method: str = "GET") -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": STREAM,
            "raw_path": STREAM.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("shop", 80),
        }
        self.task = asyncio.create_task(application(scope, self._receive, self._messages.put))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def started(self) -> tuple[int, dict[str, str]]:
        message = await self._message()
        headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        return message["status"], headers

    async def block(self) -> str:
        """The next block of the stream: an event or a comment."""
        return str((await self._message())["body"].decode())

    async def event(self) -> dict[str, Any]:
        while (block := await self.block()).startswith(":"):
            pass
        return dict(line.split(": ", 1) for line in block.strip().split("\n"))

    async def leave(self) -> None:
        self._gone.set()
        await self.task

    async def _message(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            return await self._messages.get()


@asynccontextmanager
async def listening(headers: Headers, **more: str) -> AsyncIterator[Listener]:
    listener = Listener({**headers, **more})
    yield listener
    await listener.leave()


@pytest.fixture
def brief_silence(settings: LazySettings) -> None:
    settings.STREAM_SILENCE = 0.01


@pytest.fixture
def one_stream(settings: LazySettings) -> None:
    settings.STREAMS_PER_USER = 1


async def test_news_are_told_live(alice: Headers, orders: Orders) -> None:
    async with listening(alice) as listener:
        status, headers = await listener.started()
        assert await listener.block() == ":\n\n"
        step = news()
        await orders.tell(step)
        event = await listener.event()

    assert status == 200
    assert headers["content-type"] == "text/event-stream"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert event["event"] == "order-status"
    assert event["id"] == f"{step['order_id']}:1"
    assert json.loads(event["data"]) == {
        "order_id": step["order_id"],
        "status": "CREATED",
        "updated_at": "2026-07-25T19:00:01Z",
        "total": 100.5,
    }


async def test_a_reader_that_comes_back_misses_nothing(alice: Headers, orders: Orders) -> None:
    steps = [news(version) for version in range(1, 5)]
    for step in steps[:3]:
        await orders.tell(step)

    async with listening(alice, **{"Last-Event-ID": f"{steps[0]['order_id']}:1"}) as listener:
        await listener.started()
        missed = [await listener.event() for _ in range(2)]
        await orders.tell(steps[3])
        live = await listener.event()

    told = [json.loads(event["data"])["order_id"] for event in (*missed, live)]
    assert told == [step["order_id"] for step in steps[1:]]


async def test_a_reader_whose_place_is_lost_hears_all_that_is_kept(
    alice: Headers, orders: Orders
) -> None:
    step = news()
    await orders.tell(step)

    async with listening(alice, **{"Last-Event-ID": "from before a restart"}) as listener:
        await listener.started()
        event = await listener.event()

    assert event["id"] == f"{step['order_id']}:1"


async def test_a_silence_is_broken_by_comments(brief_silence: None, alice: Headers) -> None:
    async with listening(alice) as listener:
        await listener.started()
        blocks = [await listener.block() for _ in range(4)]

    assert blocks == [":\n\n"] * 4


async def test_other_peoples_news_stay_theirs(alice: Headers, orders: Orders) -> None:
    async with listening(alice) as listener:
        await listener.started()
        await listener.block()
        await orders.tell(news(user_id="bob"))
        mine = news()
        await orders.tell(mine)

        assert (await listener.event())["id"] == f"{mine['order_id']}:1"


async def test_a_stream_too_many_is_refused(one_stream: None, alice: Headers) -> None:
    async with listening(alice) as listener:
        await listener.started()
        await listener.block()
        async with listening(alice) as second:
            status, headers = await second.started()

    assert status == 429
    assert "retry-after" in headers


async def test_a_reader_who_left_is_forgotten(
    one_stream: None, shop: httpx.AsyncClient, alice: Headers
) -> None:
    for _ in range(3):
        async with listening(alice) as listener:
            await listener.started()
            assert await listener.block() == ":\n\n"

    assert len(accounts()._streams) == 0
    assert "notification_streams_open 0.0" in (await shop.get("/user-api/metrics")).text


async def test_streams_end_when_the_service_stops(alice: Headers) -> None:
    listener = Listener(alice)
    await listener.started()
    await listener.block()

    lifespan.begin_drain()

    async with asyncio.timeout(1):
        await listener.task


async def test_the_headers_alone_open_no_stream(alice: Headers) -> None:
    listener = Listener(alice, method="HEAD")

    async with asyncio.timeout(1):
        await listener.task

    assert (await listener.started())[0] == 200
