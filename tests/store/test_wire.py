"""JSON on the wire: what is refused on the way in, what numbers and times look like outside."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import wire

TEXT = st.text(st.characters(codec="utf-8"))
MONEY = st.decimals(min_value=0, max_value=10**15, places=2)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT | MONEY
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


def nested(depth: int, innermost: str = "") -> bytes:
    return (b"[" * depth) + innermost.encode() + (b"]" * depth)


@given(VALUES)
def test_what_is_encoded_can_be_decoded_to_the_same_value(value: object) -> None:
    assert wire.decode(wire.encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_an_error_of_the_client(body: bytes) -> None:
    with suppress(wire.Malformed):
        wire.encode(wire.decode(body))


@given(MONEY)
def test_a_kopeck_survives_the_wire_in_both_directions(amount: Decimal) -> None:
    encoded = wire.encode(amount)

    assert wire.decode(encoded) == amount
    assert len(encoded.partition(b".")[2]) <= 2


@pytest.mark.parametrize(
    "amount", ["99999999999999.99", "90071992547409.93", "123456789012345678.01"]
)
def test_sums_too_large_for_a_binary_float_are_exact(amount: str) -> None:
    assert wire.encode({"total": Decimal(amount)}) == f'{{"total":{amount}}}'.encode()


@pytest.mark.parametrize("innermost", ["", "1", "{}"])
def test_32_levels_are_accepted_and_33_are_not(innermost: str) -> None:
    deepest = 31 if innermost == "{}" else 32
    wire.decode(nested(deepest, innermost))

    with pytest.raises(wire.Malformed, match="deeper than 32"):
        wire.decode(nested(deepest + 1, innermost))


@pytest.mark.parametrize("depth", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_bottomless_bodies_are_refused_not_followed(depth: int, opening: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(opening * depth)


def test_brackets_inside_text_are_no_levels() -> None:
    assert wire.decode(b'"' + b"[" * 100 + b'"') == "[" * 100


@pytest.mark.parametrize(
    "body", ['{"a": 1, "a": 2}', '{"b": [{"a": 1, "a": 1}]}', r'{"a": 1, "\u0061": 2}']
)
def test_a_key_that_stands_twice_is_refused(body: str) -> None:
    with pytest.raises(wire.Malformed, match="stands twice"):
        wire.decode(body.encode())


@pytest.mark.parametrize("number", ["1e2", "1E+2", "1.5e1", "1e400", "-1e-400", "0e0"])
def test_exponents_are_refused(number: str) -> None:
    with pytest.raises(wire.Malformed, match="exponent"):
        wire.decode(f'{{"price": {number}}}'.encode())


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_no_json(name: str) -> None:
    with pytest.raises(wire.Malformed, match=name):
        wire.decode(f"[{name}]".encode())


@pytest.mark.parametrize("text", ["01", "1_0", "+1", ".5", "1.", "٣", "0x10", "--1", "1 5"])
def test_numbers_are_spelled_as_json_spells_them(text: str) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(f"[{text}]".encode())


def test_an_integer_of_thousands_of_digits_is_refused_without_talk_of_the_interpreter() -> None:
    with pytest.raises(wire.Malformed) as refusal:
        wire.decode(b"1" * 5_000)

    assert "sys." not in str(refusal.value)


def test_an_integer_beyond_64_bits_is_read_as_it_is() -> None:
    assert wire.decode(str(10**30).encode()) == 10**30


def test_numbers_with_a_point_are_decimals_and_others_are_integers() -> None:
    prices = wire.decode(b"[0.1, 1.50, 3]")

    assert [(type(price), str(price)) for price in prices] == [
        (Decimal, "0.1"),
        (Decimal, "1.50"),
        (int, "3"),
    ]


@pytest.mark.parametrize(
    "body",
    [b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"'],
    ids=["bom", "utf-16", "no utf-8", "cut short", "raw surrogate"],
)
def test_bodies_are_utf_8_without_a_byte_order_mark(body: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(body)


@pytest.mark.parametrize(
    "body", [r'"\ud800"', r'"\uDC00\uD800"', r'{"\udfff": 1}', r'[[{"a": "x\ud83dy"}]]']
)
def test_lone_surrogates_are_refused_wherever_they_stand(body: str) -> None:
    with pytest.raises(wire.Malformed, match="surrogate"):
        wire.decode(body.encode())


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert wire.decode(rb'{"\ud83d\ude00": ["\uD83D\uDE00"]}') == {"😀": ["😀"]}


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"[1,]", b"{} {}", b"nul", b'"\n"', b"{'a': 1}"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(wire.Malformed, match="not valid JSON"):
        wire.decode(body)


def test_cyrillic_goes_out_unescaped() -> None:
    assert wire.encode("Тест") == '"Тест"'.encode()


def test_times_are_utc_and_end_in_z() -> None:
    moscow = datetime(2026, 7, 25, 22, 0, 0, 5, tzinfo=timezone(timedelta(hours=3)))

    assert wire.encode(moscow.astimezone(UTC)) == b'"2026-07-25T19:00:00.000005Z"'
    assert wire.instant(moscow) == "2026-07-25T19:00:00.000005Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_as_text_is_what_the_encoder_writes(moment: datetime) -> None:
    assert orjson.loads(wire.encode(moment)) == wire.instant(moment)


def test_ids_and_enums_have_their_plain_forms() -> None:
    class Status(Enum):
        CREATED = "CREATED"

    encoded = wire.encode([UUID(int=1), Status.CREATED, {Status.CREATED: 1}])

    assert encoded == b'["00000000-0000-0000-0000-000000000001","CREATED",{"CREATED":1}]'


def test_what_has_no_json_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        wire.encode({"x": object()})
