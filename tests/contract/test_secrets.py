"""No operation, whatever it is sent, tells a secret: not in a log line, not in a span."""

import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from django.conf import settings

from store.logs.writer import writer
from tests.contract import conftest
from tests.contract.callers import Headers
from tests.contract.examples import example
from tests.contract.operations import OPERATIONS
from tests.contract.world import PASSWORD, Things, World
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "hunter2-of-this-test"
SETTINGS = {
    "LOG_REQUESTS": 1,
    "TRACES": True,
    "API_MIDDLEWARE": [*settings.API_MIDDLEWARE, "store.middleware.traced"],
}
COOKIES = {"Cookie": f"sessionid={SECRET}; shop_carts={SECRET}"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as (url, receiver), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        yield receiver


@pytest.fixture(scope="module")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Everything that is logged at all, by whomever."""
    file = tmp_path_factory.mktemp("log") / "log"
    fd = os.open(file, os.O_WRONLY | os.O_CREAT)
    writer.close()
    writer.open(fd)
    root = logging.getLogger()
    before, _ = root.level, root.setLevel(logging.DEBUG)
    yield file
    root.setLevel(before)
    writer.close()
    os.close(fd)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    request: pytest.FixtureRequest, receiver: Receiver, log_file: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The usual one, traced and logged."""
    async for client in conftest.shop.__wrapped__(request):  # type: ignore[attr-defined]
        yield client


async def test_no_operation_tells_a_secret(
    world: World, things: Things, receiver: Receiver, log_file: Path
) -> None:
    sent: set[str] = {SECRET, PASSWORD, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}
    for operation in OPERATIONS:
        mine = await world.things_for(operation, things.owner)
        good = example(operation, mine)
        sent.add(good.headers["Authorization"].removeprefix("Bearer "))
        for headers, body in _ways(good.headers, good.body):
            options = {"headers": headers, "params": good.query | {"token": SECRET}}
            if operation.takes_a_body:
                options |= {"content": body}
            await world.send(operation, good.url, **options)

    receiver.wait_until(lambda spans: len(spans) > 3 * len(OPERATIONS))
    writer.close()
    logged = log_file.read_text()
    assert logged.count('"route":') > 3 * len(OPERATIONS)
    for secret in sent:
        assert secret not in logged
        assert secret.encode() not in receiver.raw


def _ways(good: Headers, body: object) -> Iterator[tuple[Headers, str]]:
    """As it should be; with a bad token; with a body that is broken; as a page."""
    headers = good | COOKIES | {"Content-Type": "application/json"}
    text = json.dumps(body if isinstance(body, dict) else {})
    forged = {"Authorization": f"Bearer eyJ{SECRET}.eyJ{SECRET}.{SECRET}"}
    yield headers, text
    yield headers | forged, text
    yield headers, f'{{"password": "{SECRET}", "{SECRET}'
    yield headers, json.dumps({"password": SECRET, "username": [SECRET], "quantity": SECRET})
    yield headers | {"Accept": "text/html"}, text
