"""The whole shop on a disk that is full from the beginning, and on none that can be used."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from store.asgi import application
from store.lifespan import lifespan, shutdown, startup

CHANGES = [
    (
        "POST",
        "/api/products/",
        {"name": "Чай", "category": "Напитки", "price": 1, "stock_count": 1},
    ),
    ("DELETE", "/cart-api/cart/", None),
    ("POST", "/order-api/orders/", None),
    (
        "POST",
        "/user-api/users/register",
        {"username": "bob", "full_name": "Bob", "phone": "12345", "password": "a password"},
    ),
]


@pytest.fixture
def full_disk(tmp_path: Path, settings: LazySettings) -> Any:
    """No file of this process may grow: what the system says is not "no space", but the like."""
    settings.DATA_DIR = str(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def crowded(full_disk: Callable[[], None], shop: httpx.AsyncClient) -> httpx.AsyncClient:
    return shop


@pytest.mark.parametrize(("verb", "path", "body"), CHANGES)
async def test_a_full_disk_is_503_for_changes_and_heals(
    crowded: httpx.AsyncClient,
    full_disk: Callable[[], None],
    auth: Callable[..., dict[str, str]],
    verb: str,
    path: str,
    body: object,
):
    headers = auth("boss", admin=True)
    prefix = path[: path.index("/", 1)]
    if prefix == "/order-api":
        line = {"product_id": "00000000-0000-4000-8000-000000000001", "quantity": 1, "price": 1}
        body = {"items": [line], "total": 1}

    refused = await crowded.request(verb, path, json=body, headers=headers)
    unready = await crowded.get(f"{prefix}/ready")
    reading = await crowded.get(f"{prefix}/health")
    full_disk()
    async with asyncio.timeout(5):
        while (await crowded.get(f"{prefix}/ready")).status_code != 200:
            await asyncio.sleep(0.05)
    accepted = await crowded.request(verb, path, json=body, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (503, "journal_unavailable")
    assert refused.headers["Retry-After"]
    assert unready.status_code == 503
    assert "no room to write" in unready.json()["detail"]
    assert reading.status_code == 200
    assert accepted.status_code in (200, 201, 409)


async def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path, settings: LazySettings):
    settings.DATA_DIR = str(tmp_path / "volume")
    said: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    await lifespan(receive, send)

    sentence = f"DATA_DIR is {tmp_path / 'volume'}, which is not a folder"
    assert [message["type"] for message in said] == ["lifespan.startup.failed"]
    assert said[0]["message"].startswith(sentence)
    assert "\n" not in said[0]["message"]


async def test_answers_to_keys_outlive_the_process(
    tmp_path: Path,
    settings: LazySettings,
    auth: Callable[..., dict[str, str]],
):
    settings.DATA_DIR, settings.DEMO = str(tmp_path), True
    headers = auth("alice") | {"Idempotency-Key": "monday"}
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 40000))
    answers = []
    for _ in range(2):
        await startup()
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            found = (await client.get("/api/products/?category=Напитки", headers=headers)).json()
            if not answers:
                line = {"product_id": found["items"][0]["product_id"], "quantity": 1}
                await client.post("/cart-api/cart/items", json=line, headers=headers)
            answers.append(await client.post("/cart-api/cart/checkout", headers=headers))
        await shutdown()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert "Idempotent-Replayed" not in answers[0].headers
    assert answers[1].headers["Idempotent-Replayed"] == "true"
