"""Views: verbs, media types, bodies; and the one table from errors to statuses."""

import json
from typing import Any

import httpx
import orjson
import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions

from store import answers, errors, wire
from store.http import PeerAway, PeerRefused

LINE = {"name": "tea", "quantity": 1}


async def test_json_goes_out_as_utf_8_with_its_length(client: httpx.AsyncClient) -> None:
    response = await client.get("/lines")

    assert response.content == '{"Это":"кириллица"}'.encode()
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize(
    "verb", ["PATCH", "TRACE", "PUT", "PROPFIND", "__INIT__", "SETUP", "QUERY"]
)
async def test_a_wrong_verb_is_405_and_says_which_are_right(
    client: httpx.AsyncClient, verb: str
) -> None:
    response = await client.request(verb, "/lines")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST, DELETE, HEAD, OPTIONS"
    assert response.json()["code"] == "method_not_allowed"


async def test_the_verb_is_judged_before_the_credentials(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/admin-only")).status_code == 405
    assert (await client.get("/admin-only")).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_system_endpoints_are_read_only(
    client: httpx.AsyncClient, path: str, verb: str
) -> None:
    response = await client.request(verb, path)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert response.json()["code"] == "method_not_allowed"


async def test_head_is_get_whose_body_the_server_drops(client: httpx.AsyncClient) -> None:
    head, get = await client.head("/lines"), await client.get("/lines")

    assert head.status_code == 200
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_options_says_which_verbs_there_are_without_asking_who_calls(
    client: httpx.AsyncClient,
) -> None:
    response = await client.options("/admin-only", headers={"Authorization": "Bearer junk"})

    assert response.status_code == 200
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_204_has_neither_body_nor_length(client: httpx.AsyncClient) -> None:
    response = await client.delete("/lines")

    assert (response.status_code, response.content) == (204, b"")
    assert {"content-length", "content-type"}.isdisjoint(response.headers)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
async def test_bodies_come_as_json(client: httpx.AsyncClient, kind: str) -> None:
    body = json.dumps(LINE).encode()

    response = await client.post("/lines", content=body, headers={"Content-Type": kind})

    assert (response.status_code, response.json()) == (201, LINE)


async def test_bodies_come_as_forms_of_both_kinds(client: httpx.AsyncClient) -> None:
    spelled = {"name": "tea", "quantity": "1"}

    as_form = await client.post("/lines", data=spelled)
    as_parts = await client.post("/lines", files={name: (None, v) for name, v in spelled.items()})

    assert as_form.json() == as_parts.json() == LINE


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "json", "application/jsonx"])
async def test_another_media_type_is_415(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/lines", content=b"{}", headers={"Content-Type": kind})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


async def test_json_does_not_spell_numbers(client: httpx.AsyncClient) -> None:
    response = await client.post("/lines", json={"name": "tea", "quantity": "1"})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "The request is not valid.",
        "code": "invalid",
        "errors": {"quantity": ["A whole number is required."]},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":' * 30_000,
        b'{"name":"tea","name":"tea"}',
        b"\xff",
        b"NaN",
        b'{"quantity": 1e400}',
        b"1" * 5_000,
        rb'{"x": "\ud800"}',
        b"\xef\xbb\xbf{}",
        b"\x00",
    ],
)
async def test_a_body_that_is_no_json_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(
        "/lines", content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


FORM = "application/x-www-form-urlencoded"
BAD_FORMS = {
    "no boundary": ("multipart/form-data", b"x"),
    "bad boundary": ("multipart/form-data; boundary=\x01", b"x"),
    "cut short": ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; na"),
    "bad length": ("multipart/form-data; boundary=b", b"--b\r\nContent-Length: x\r\n\r\n"),
    "too many fields": (FORM, b"&".join(b"a=%d" % number for number in range(2_000))),
    "junk": (FORM, b"\xff%zz&=&;"),
    "nothing": (FORM, b""),
}


@pytest.mark.parametrize(("kind", "body"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
async def test_a_form_that_cannot_be_read_is_400(
    client: httpx.AsyncClient, kind: str, body: bytes
) -> None:
    response = await client.post("/lines", content=body, headers={"Content-Type": kind})

    assert response.status_code == 400
    assert {"detail", "code"} <= response.json().keys()


@pytest.mark.parametrize("text", [b"%ff", b"\xff", b"%C3", b"%ED%A0%80", b"%c0%80"])
async def test_a_form_that_is_no_utf_8_is_400(client: httpx.AsyncClient, text: bytes) -> None:
    response = await client.post(
        "/lines", content=b"quantity=1&name=" + text, headers={"Content-Type": FORM}
    )

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_hundred_thousand_keys_are_read_and_ignored(client: httpx.AsyncClient) -> None:
    many = {format(number, "x"): 0 for number in range(25_000)}

    assert (await client.post("/lines", json=LINE | many)).status_code == 201


async def test_errors_of_nested_fields_name_their_place(client: httpx.AsyncClient) -> None:
    lines = [LINE, {"name": "tea", "quantity": 99}]

    response = await client.post("/baskets", json={"items": lines})

    assert response.json()["errors"] == {"items.1.quantity": ["At most 10."]}


@pytest.mark.parametrize("body", ["[]", "5", "null", '"text"', "true"])
async def test_a_body_that_is_no_object_is_400(client: httpx.AsyncClient, body: str) -> None:
    response = await client.post(
        "/lines", content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (None, b""),
        ("application/json", b""),
        ("application/json", b"{}"),
        (FORM, b""),
        ("text/plain", b""),
        ("application/json", b" { } "),
    ],
)
async def test_where_no_body_is_needed_none_and_an_empty_object_are_fine(
    client: httpx.AsyncClient, kind: str | None, body: bytes
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}

    assert (await client.post("/checkout", content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"a": 1}', 400),
        ("application/json", b"[]", 400),
        ("application/json", b"null", 400),
        ("application/json", b"{", 400),
        (FORM, b"a=1", 400),
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
    ],
)
async def test_where_no_body_is_needed_any_other_is_refused(
    client: httpx.AsyncClient, kind: str, body: bytes, status: int
) -> None:
    response = await client.post("/checkout", content=body, headers={"Content-Type": kind})

    assert response.status_code == status


TABLE: dict[type[errors.ShopError], int] = {
    errors.Invalid: 400,
    wire.Malformed: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.KeyReused: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}


@pytest.mark.parametrize("kind", TABLE)
def test_each_error_has_its_status_and_a_body_with_detail_and_code(
    kind: type[errors.ShopError],
) -> None:
    answer = answers.failure(kind(), None)

    assert answer.status == TABLE[kind]
    assert answer.data == {"detail": kind.detail, "code": kind.code}


def test_the_table_knows_every_error_of_the_floor() -> None:
    of_the_floor = {
        kind for kind in errors.ShopError.__subclasses__() if kind.__module__ == "store.errors"
    }

    assert set(answers.STATUSES) == of_the_floor


@pytest.mark.parametrize("kind", [errors.Unavailable, errors.TooMany])
def test_whoever_is_told_to_come_back_is_told_when(kind: type[errors.ShopError]) -> None:
    assert answers.failure(kind(), None).headers == {"Retry-After": "1"}
    assert answers.failure(kind(retry_after=30), None).headers == {"Retry-After": "30"}


def test_an_error_may_have_its_own_sentence_word_errors_and_facts() -> None:
    error = errors.Conflict(
        "Sold out.", code="insufficient_stock", errors={"tea": ["2 left."]}, facts={"left": 2}
    )

    assert answers.failure(error, None).data == {
        "detail": "Sold out.",
        "code": "insufficient_stock",
        "errors": {"tea": ["2 left."]},
        "left": 2,
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404(), 404),
        (exceptions.UnsupportedMediaType("text/plain"), 415),
        (exceptions.ParseError("secret"), 400),
        (SuspiciousOperation("secret"), 400),
        (exceptions.MethodNotAllowed("PATCH"), 405),
        (PeerAway("orders", sent=True), 503),
        (PeerRefused(418, {"detail": "A teapot.", "code": "teapot"}, {}), 418),
    ],
)
def test_the_errors_of_frameworks_and_peers_are_answers_of_the_same_form(
    error: Exception, status: int
) -> None:
    answer: Any = answers.failure(error, None)

    assert answer.status == status
    assert {"detail", "code"} <= answer.data.keys()
    assert b"secret" not in wire.encode(answer.data)


def test_bytes_that_are_json_already_go_out_as_they_are() -> None:
    http = answers.json_response(answers.Response(b'{"a":1}', headers={"Link": "<x>"}))

    assert (http.content, http["Link"]) == (b'{"a":1}', "<x>")
    assert orjson.loads(http.content) == {"a": 1}
