"""Settings: read once, checked, and refused with a sentence that says what is wrong."""

import asyncio
import os
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from store.settings import env
from store.settings.base import PREFIXES

KEY = "x" * 32
START = """
import sys, store.asgi
from django.conf import settings
apps = {"catalog", "carts", "orders", "accounts"}
print(settings.SERVICES, sorted(apps & sys.modules.keys()))
"""


async def started(module: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a process that starts with nothing but ``environment``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", START),
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": module, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_each_service_starts_alone_with_a_key_and_nothing_else() -> None:
    names = list(PREFIXES)

    starts = [started(f"store.settings.{name}", SECRET_KEY=KEY) for name in names]
    outcomes = await asyncio.gather(*starts)

    assert outcomes == [(0, f"['{name}'] ['{name}']\n", "") for name in names]


async def test_without_a_key_a_service_does_not_start_and_says_why() -> None:
    code, _, errors = await started("store.settings.catalog")

    assert code != 0
    assert "SECRET_KEY is not set. Make one: python -c" in errors


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "SECRET_KEY is not set"),
        ("   ", "SECRET_KEY is not set"),
        ("supersecretkey123", "SECRET_KEY is a publicly known key"),
        (" supersecretkey123 ", "SECRET_KEY is a publicly known key"),
        ("x" * 31, "SECRET_KEY is shorter than 32 bytes"),
        ("x" * 31 + " ", "SECRET_KEY is shorter than 32 bytes"),
        ("x" * 31 + "," + "x" * 31, "SECRET_KEY has a comma"),
    ],
)
def test_a_bad_key_is_refused_and_the_refusal_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, key: str, sentence: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", key)

    with pytest.raises(ImproperlyConfigured, match=f"{sentence}.*token_urlsafe"):
        env.secret_key()


@pytest.mark.parametrize("key", [KEY, "ключ" * 4, "x" * 500])
def test_a_key_has_at_least_32_bytes(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SECRET_KEY", key)

    assert env.secret_key() == key


def test_old_keys_are_a_list_and_each_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", f" {KEY}, {'y' * 32},")
    assert env.secret_key_fallbacks() == [KEY, "y" * 32]

    monkeypatch.setenv("SECRET_KEY_FALLBACKS", f"{KEY},supersecretkey123")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FALLBACKS is a publicly known key"):
        env.secret_key_fallbacks()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),
        ("On", True),
        (" 1 ", True),
        ("0", False),
        ("false", False),
        ("no", False),
        ("OFF", False),
        ("", False),
        (None, False),
    ],
)
def test_a_switch_is_on_or_off_in_several_words(
    monkeypatch: pytest.MonkeyPatch, word: str | None, value: bool
) -> None:
    monkeypatch.delenv("DEMO", raising=False)
    if word is not None:
        monkeypatch.setenv("DEMO", word)

    assert env.flag("DEMO") is value


@pytest.mark.parametrize("word", ["2", "maybe", "да", "truе"])
def test_any_other_word_is_refused_not_taken_for_off(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("DEMO", word)

    with pytest.raises(ImproperlyConfigured, match="DEMO is 1 or 0"):
        env.flag("DEMO")


def number(**bounds: Any) -> float:
    return env.number("ORDER_RETENTION", 300, **bounds)


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("0.25", 0.25), ("", 300), ("0", 0)])
def test_numbers_may_have_fractions(
    monkeypatch: pytest.MonkeyPatch, text: str, value: float
) -> None:
    monkeypatch.setenv("ORDER_RETENTION", text)

    assert number() == value


@pytest.mark.parametrize(
    "text", ["five", "5s", "1,5", "-1", "nan", "inf", "-inf", "1e999", "1_0", "١٠", "0x5", "5."]
)
def test_a_bad_number_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ORDER_RETENTION", text)

    with pytest.raises(ImproperlyConfigured, match=r"^ORDER_RETENTION is "):
        number()


def test_a_number_under_its_minimum_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDER_RETENTION", "59")

    with pytest.raises(ImproperlyConfigured, match="ORDER_RETENTION is at least 60, not 59"):
        number(minimum=60)


@pytest.mark.parametrize("text", ["1.5", "x", "0"])
def test_a_whole_number_is_whole(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PASSWORD_THREADS", text)

    with pytest.raises(ImproperlyConfigured, match=r"^PASSWORD_THREADS is "):
        env.whole("PASSWORD_THREADS", 2, minimum=1)


@pytest.mark.parametrize(
    "text",
    ["catalog:8000", "ftp://catalog", "http://", "/api", "http://c:x", "http://[c", "http://c:0"],
)
def test_an_address_that_is_none_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("BACKEND_URL", text)

    with pytest.raises(ImproperlyConfigured, match="BACKEND_URL is an address like"):
        env.addresses("BACKEND_URL", "")


@pytest.mark.parametrize("text", ["http://catalog:8000", "https://catalog", "http://[::1]:8000"])
def test_an_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BACKEND_URL", f"{text}/")

    assert env.addresses("BACKEND_URL", "") == text


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", " https://a.example , ,https://b.example,")

    assert env.words("CORS_ALLOWED_ORIGINS") == ["https://a.example", "https://b.example"]
