"""Fields: strict about JSON, lenient about how forms and query strings spell numbers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.serializers import Field

from store import fields
from store.errors import Invalid
from store.inputs import validated

Make = type[Field[Any, Any, Any, Any]]


def read(field: Any, data: Any) -> Any:
    """What a serializer with this one field makes of ``data``."""
    serializer = type("One", (fields.Serializer,), {"value": field})
    return validated(serializer, data).get("value")


def from_json(field: Any, value: Any) -> Any:
    return read(field, {"value": value})


def from_form(field: Any, text: str) -> Any:
    data = QueryDict(mutable=True)
    data["value"] = text
    return read(field, data)


def integer() -> fields.IntegerField:
    return fields.IntegerField(min_value=-5, max_value=1000)


JUNK: list[Any] = [None, "", "x", [], {}, [1], {"a": 1}, "null"]


@pytest.mark.parametrize("value", [*JUNK, "5", True, False, Decimal("5.0"), 5.0, 10**30, -6, 1001])
def test_json_integers_are_integers_in_bounds(value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        from_json(integer(), value)

    assert list(refusal.value.errors or {}) == ["value"]


@pytest.mark.parametrize(
    "text",
    ["", "1_0", "٣", "१", "³", "1.0", "1e2", "0x1", "+1", " 1", "1 ", "--1", "1\n", "9" * 20],
)
def test_forms_spell_integers_in_plain_digits(text: str) -> None:
    with pytest.raises(Invalid):
        from_form(integer(), text)


@given(st.integers(-5, 1000))
def test_an_integer_is_the_same_from_json_and_from_a_form(number: int) -> None:
    assert from_json(integer(), number) == from_form(integer(), str(number)) == number


@given(st.text(max_size=8))
def test_no_text_becomes_an_integer_but_its_own(text: str) -> None:
    try:
        number = from_form(integer(), text)
    except Invalid:
        return
    assert text.isascii()
    assert int(text) == number


def test_bounds_are_named_in_the_error() -> None:
    with pytest.raises(Invalid) as refusal:
        from_json(integer(), 1001)

    assert refusal.value.errors == {"value": ["At most 1000."]}


@pytest.mark.parametrize(
    "value",
    [
        *JUNK,
        "9.99",
        True,
        False,
        9.99,
        Decimal("0.001"),
        Decimal("NaN"),
        -1,
        10**30,
        Decimal("100000000.00"),
        Decimal("-0.01"),
        Decimal("9." + "9" * 60),
    ],
)
def test_json_money_is_a_number_of_whole_kopecks_in_bounds(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(fields.MoneyField(), value)


@pytest.mark.parametrize(
    "text", ["", "1_0", "٣", "1e2", "1E+2", "NaN", "Infinity", "1.", ".5", "1,5", " 1", "1.005"]
)
def test_forms_spell_money_in_plain_digits(text: str) -> None:
    with pytest.raises(Invalid):
        from_form(fields.MoneyField(), text)


@given(st.decimals(min_value=0, max_value="99999999.99", places=2))
def test_money_is_the_same_from_json_and_from_a_form(amount: Decimal) -> None:
    from_both = {
        from_json(fields.MoneyField(), amount),
        from_form(fields.MoneyField(), str(amount)),
    }

    assert from_both == {amount}


@pytest.mark.parametrize("value", [Decimal("1.5000"), Decimal("1.5")])
def test_money_is_kept_with_two_decimals_however_many_zeros_came(value: Decimal) -> None:
    assert str(from_json(fields.MoneyField(), value)) == "1.50"


def test_minus_zero_is_zero() -> None:
    assert str(from_json(fields.MoneyField(), Decimal("-0.0"))) == "0.00"


@pytest.mark.parametrize("value", [*JUNK, 0, 1, "true", "1", "on"])
def test_json_booleans_are_true_or_false(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(fields.BooleanField(), value)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("on", True), ("1", True), ("0", False)]
)
def test_forms_spell_booleans(text: str, value: bool) -> None:
    assert from_form(fields.BooleanField(), text) is value


@pytest.mark.parametrize("text", ["", "yes", "2", "t", "١"])
def test_forms_do_not_spell_booleans_just_anyhow(text: str) -> None:
    with pytest.raises(Invalid):
        from_form(fields.BooleanField(), text)


def test_a_box_that_is_not_sent_is_left_out() -> None:
    assert read(fields.BooleanField(required=False), QueryDict("other=1")) is None


@pytest.mark.parametrize(
    "value",
    [
        *JUNK,
        5,
        True,
        "5",
        "urn:uuid:12345678-1234-5678-1234-567812345678",
        "{12345678-1234-5678-1234-567812345678}",
        "12345678123456781234567812345678",
        "12345678-1234-5678-1234-56781234567\u0661",
        " 12345678-1234-5678-1234-567812345678",
        "12345678-1234-5678-1234-567812345678\n",
        "1234567-81234-5678-1234-567812345678",
    ],
)
def test_ids_are_uuids_in_their_canonical_form(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(fields.UUIDField(), value)


@given(st.uuids())
def test_ids_may_be_written_in_capitals(value: UUID) -> None:
    assert from_json(fields.UUIDField(), str(value).upper()) == value
    assert from_form(fields.UUIDField(), str(value)) == value


@pytest.mark.parametrize("value", [None, "", 5, True, [], {}, "a\x00b", "\ud800", "x" * 21])
def test_text_is_a_string_that_can_be_stored_and_shown(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(fields.TextField(max_length=20), value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20))
def test_text_is_kept_as_it_is(text: str) -> None:
    assert from_json(fields.TextField(max_length=20), text) == text


@pytest.mark.parametrize(
    "text", ["  ", " a ", "e\u0301", "é", "\u202eabc", "a\r\nb", "'; DROP", "😀"]
)
def test_odd_text_is_neither_trimmed_nor_normalised(text: str) -> None:
    assert from_json(fields.TextField(max_length=20), text) == text
    assert from_form(fields.TextField(max_length=20), text) == text


def test_text_may_be_null_or_empty_where_the_field_says_so() -> None:
    assert from_json(fields.TextField(allow_null=True), None) is None
    assert from_json(fields.TextField(min_length=0), "") == ""


def test_unknown_members_are_ignored() -> None:
    assert read(integer(), {"value": 1, "is_admin": True}) == 1


@pytest.mark.parametrize("data", [None, [], [1], "text", 5, True])
def test_a_body_that_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        read(integer(), data)

    assert list(refusal.value.errors or {}) == ["non_field_errors"]


def test_errors_of_nested_lines_name_their_place() -> None:
    class Line(fields.Serializer):
        quantity = fields.IntegerField(min_value=1)

    class Basket(fields.Serializer):
        items = Line(many=True)

    with pytest.raises(Invalid) as refusal:
        validated(Basket, {"items": [{"quantity": 1}, {"quantity": 0}, 5]})

    assert list(refusal.value.errors or {}) == ["items.1.quantity", "items.2.non_field_errors"]


def test_nested_lines_may_come_from_a_form() -> None:
    class Line(fields.Serializer):
        quantity = fields.IntegerField(min_value=1)

    class Basket(fields.Serializer):
        items = Line(many=True)

    data = validated(Basket, QueryDict("items[0]quantity=2&items[1]quantity=3"))

    assert [line["quantity"] for line in data["items"]] == [2, 3]


def test_a_list_that_is_too_long_is_refused_before_its_items_are_looked_at() -> None:
    class Looked(fields.IntegerField):
        items = 0

        def to_internal_value(self, data: Any) -> int:
            Looked.items += 1
            return super().to_internal_value(data)

    too_long = [1] * 100_000
    with pytest.raises(Invalid):
        from_json(fields.ListField(child=Looked(), max_length=100), too_long)

    assert Looked.items == 0
    assert from_json(fields.ListField(child=Looked(), max_length=100), [1, 2]) == [1, 2]


@pytest.mark.parametrize("value", [*JUNK, 5, "2026-07-25T1٩:00:00Z", "19:00", "25.07.2026"])
def test_a_moment_is_iso_8601_in_ascii(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(fields.DateTimeField(), value)


def test_a_moment_knows_its_offset() -> None:
    moment = from_json(fields.DateTimeField(), "2026-07-25T22:00:00+03:00")

    assert moment == datetime(2026, 7, 25, 19, tzinfo=UTC)
