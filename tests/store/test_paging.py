"""Cursors: good for the list they came from, and for nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from store.paging import BadCursor, decode_cursor, encode_cursor

SCOPE = "products:tea:name:asc"
OTHER_KEY = "another key, long enough to sign with it"
TEXT = st.text(st.characters(codec="utf-8"))


@given(scope=TEXT, key=st.lists(TEXT | st.integers(-(2**63), 2**63)))
def test_a_cursor_gives_its_key_back(scope: str, key: list[str | int]) -> None:
    cursor = encode_cursor(scope, key)

    assert decode_cursor(scope, cursor) == key
    assert cursor.isascii()


@given(TEXT.filter(lambda scope: scope != SCOPE))
def test_a_cursor_of_another_list_is_refused(scope: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(scope, encode_cursor(SCOPE, ["tea", 1]))


@pytest.mark.parametrize(("scope", "key"), [("a", ["b"]), ("a\x00", ["b"]), ('a\x00["b"]', [])])
def test_scope_and_key_do_not_run_into_each_other(scope: str, key: list[str]) -> None:
    cursor = encode_cursor(scope, key)

    for other in ({"a", "a\x00", 'a\x00["b"]', ""}) - {scope}:
        with pytest.raises(BadCursor):
            decode_cursor(other, cursor)


@given(st.integers(0), st.integers(1, 255))
def test_a_cursor_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    raw = bytearray(urlsafe_b64decode(encode_cursor(SCOPE, ["tea", 1])))
    raw[place % len(raw)] ^= change

    with pytest.raises(BadCursor):
        decode_cursor(SCOPE, urlsafe_b64encode(raw).decode())


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(SCOPE, text)


@pytest.mark.parametrize("text", ["", "A", "====", "AAAAAAAAAAAAAAAA", "é", "\x00", "\ud800"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(SCOPE, text)


def test_a_cursor_outlives_a_change_of_keys_as_long_as_the_old_one_verifies(
    settings: LazySettings,
) -> None:
    cursor = encode_cursor(SCOPE, ["tea"])

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = OTHER_KEY
    assert decode_cursor(SCOPE, cursor) == ["tea"]

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadCursor):
        decode_cursor(SCOPE, cursor)
