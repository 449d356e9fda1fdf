"""The lean handler: what it answers to odd requests, and that it finishes what it began."""

import asyncio
import logging

import httpx
import pytest

from tests.store.connection import Connection, chunk
from tests.store.test_metrics import value_of
from tests.store.tiny import Gate


async def test_a_path_that_leads_nowhere_is_404_in_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/nowhere")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is nothing here.", "code": "not_found"}


@pytest.mark.parametrize(
    "line_id",
    [
        "5",
        "urn:uuid:12345678-1234-5678-1234-567812345678",
        "12345678123456781234567812345678",
        "{12345678-1234-5678-1234-567812345678}",
        "<uuid>",
        "12345678-1234-5678-1234-567812345678%0A",
        "12345678-1234-5678-1234-567812345678/",
        "%00",
    ],
)
async def test_an_id_in_a_path_that_is_no_uuid_is_404(
    client: httpx.AsyncClient, line_id: str
) -> None:
    await client.get("/lines/12345678-1234-5678-1234-567812345678")

    assert (await client.get(f"/lines/{line_id}")).status_code == 404


@pytest.mark.parametrize("path", ["/lines/", "//lines", "/LINES", "/lines//", "/lines/../lines"])
async def test_paths_are_exactly_as_written(tiny_service: None, path: str) -> None:
    assert (await Connection("GET", path).run()).status == 404


@pytest.mark.parametrize("query", [b"\xff", b"q=\xd1", b"\x80=1", b"%ff", b"q=%D1"])
async def test_a_query_that_is_no_utf_8_is_400_with_all_that_an_answer_carries(
    tiny_service: None, query: bytes
) -> None:
    connection = await Connection("GET", "/lines", query=query).run()

    assert connection.status == 400
    assert b'"code":"invalid"' in connection.body
    assert {"x-request-id", "x-content-type-options"} <= connection.headers.keys()


@pytest.mark.parametrize("query", ["q=%00", "=&&=", "q[]=1&q[]=2", "a;b", "%"])
async def test_odd_queries_do_no_harm(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/lines?{query}")).status_code == 200


@pytest.mark.parametrize("path", ["/broken", "/plain-broken"])
async def test_what_nobody_foresaw_is_a_500_that_says_nothing_and_a_log_that_says_all(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    response = await client.get(path)

    assert response.status_code == 500
    assert response.json() == {
        "detail": "Something went wrong on our side.",
        "code": "internal_error",
    }
    assert "hunter2" in caplog.text
    assert caplog.records[0].getMessage() == f"GET {path} failed"


async def test_what_nobody_foresaw_is_counted_by_type_and_view(client: httpx.AsyncClient) -> None:
    by_type = ("django_http_exceptions_total_by_type_total", {"type": "RuntimeError"})
    by_view = ("django_http_exceptions_total_by_view_total", {"view": "broken"})
    before = value_of(*by_type), value_of(*by_view)

    await client.get("/broken")

    assert (value_of(*by_type), value_of(*by_view)) == (before[0] + 1, before[1] + 1)


async def test_what_was_foreseen_is_neither_logged_nor_counted_as_an_exception(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.post("/lines", json={"name": ""})
    await client.get("/nowhere")

    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_client_that_hangs_up_does_not_cancel_a_view(
    tiny_service: None, gate: Gate
) -> None:
    connection = Connection("POST", "/slow")
    request = asyncio.create_task(connection.run())
    await gate.reached.wait()

    connection.leave()
    await asyncio.sleep(0)
    gate.opened.set()
    await request

    assert gate.passed.is_set()


async def test_a_stream_is_sent_part_by_part_to_its_end(tiny_service: None, gate: Gate) -> None:
    connection = Connection("GET", "/stream")
    request = asyncio.create_task(connection.run())
    await gate.reached.wait()
    assert connection.body == b"data: 1\n\n"

    gate.opened.set()
    await request

    assert connection.body == b"data: 1\n\ndata: 2\n\n"
    assert connection.sent[-1] == {"type": "http.response.body"}


async def test_a_stream_stops_when_its_client_goes(tiny_service: None, gate: Gate) -> None:
    connection = Connection("GET", "/stream")
    request = asyncio.create_task(connection.run())
    await gate.reached.wait()

    connection.leave()
    await request

    assert gate.passed.is_set()
    assert connection.body == b"data: 1\n\n"


async def test_a_stream_stops_when_the_server_does(tiny_service: None, gate: Gate) -> None:
    request = asyncio.create_task(Connection("GET", "/stream").run())
    await gate.reached.wait()

    request.cancel()
    await asyncio.wait({request})

    assert request.cancelled()
    assert gate.passed.is_set()


async def test_a_stream_that_breaks_is_logged_counted_and_not_ended_as_if_it_were_whole(
    tiny_service: None, caplog: pytest.LogCaptureFixture
) -> None:
    by_view = ("django_http_exceptions_total_by_view_total", {"view": "broken-stream"})
    before = value_of(*by_view)

    connection = await Connection("GET", "/broken-stream").run()

    assert "the stream broke" in caplog.text
    assert value_of(*by_view) == before + 1
    assert connection.sent[-1]["more_body"]


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "idna", "utf-16", "x", "utf-7"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
async def test_forms_are_utf_8_whatever_charset_they_name(
    client: httpx.AsyncClient, kind: str, charset: str
) -> None:
    parts = (
        'Content-Disposition: form-data; name="name"\r\n\r\nчай',
        ('Content-Disposition: form-data; name="quantity"\r\n\r\n1'),
    )
    multipart = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    body = multipart if kind.startswith("multipart") else "name=%D1%87%D0%B0%D0%B9&quantity=1"
    content_type = {"Content-Type": f"{kind}; boundary=b; charset={charset}"}

    response = await client.post("/lines", content=body.encode(), headers=content_type)

    assert response.json() == {"name": "чай", "quantity": 1}


async def test_a_request_without_client_or_server_is_a_request(tiny_service: None) -> None:
    connection = Connection("GET", "/lines")
    connection.scope["client"] = None

    assert (await connection.run()).status == 200


async def test_a_body_that_arrived_in_pieces_is_known_to_have_a_length(tiny_service: None) -> None:
    pieces = chunk(b'{"name": "tea", ', more=True), chunk(b'"quantity": 1}')
    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]

    connection = await Connection("POST", "/lines", *pieces, headers=headers).run()

    assert connection.status == 201
