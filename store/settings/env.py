"""Reads single settings from the environment and says clearly what is wrong with one."""

import os
import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
KNOWN_KEYS = {"supersecretkey123"}
# float() takes 1_0, nan and the digits of every script, too.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?", re.ASCII)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str) -> bool:
    """``1``, ``true``, ``yes``, ``on`` are on; ``0``, ``false``, ``no``, ``off`` or nothing off."""
    value = text(name, "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is 1 or 0, not {value!r}.")


def choice(name: str, default: str, *others: str) -> str:
    """One of these words, in upper or lower case."""
    value = text(name, default)
    for word in (default, *others):
        if value.lower() == word.lower():
            return word
    raise ImproperlyConfigured(f"{name} is {', '.join((default, *others))}; not {value!r}.")


def number(
    name: str, default: float, *, minimum: float = 0.0, maximum: float = float("inf")
) -> float:
    """A number, fractions allowed, from ``minimum`` to ``maximum``."""
    value = text(name, str(default))
    if not _NUMBER.fullmatch(value):
        raise ImproperlyConfigured(f"{name} is a number, not {value!r}.")
    parsed = float(value)
    if not minimum <= parsed < float("inf"):
        raise ImproperlyConfigured(f"{name} is at least {minimum:g}, not {value}.")
    if parsed > maximum:
        raise ImproperlyConfigured(f"{name} is at most {maximum:g}, not {value}.")
    return parsed


def whole(name: str, default: int, *, minimum: int = 0) -> int:
    value = number(name, default, minimum=minimum)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} is a whole number, not {value:g}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str, default: str) -> list[str]:
    """Addresses, and networks such as 10.0.0.0/8, comma separated."""
    for word in words(name, default):
        try:
            ip_network(word)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} is of addresses and networks like 10.0.0.1,10.1.0.0/16, not {word!r}."
            ) from None
    return words(name, default)


def addresses(name: str, default: str) -> str:
    """One ``http(s)://host[:port]`` of a service or several, without slashes at their ends."""
    found = [value.rstrip("/") for value in words(name, default)]
    for value in found or [""]:
        if not _is_address(value):
            raise ImproperlyConfigured(
                f"{name} is an address like http://host:8000, not {value!r}."
            )
    return ",".join(found)


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def secret_key() -> str:
    """The key that signs every token; there is no built-in one."""
    key = text("SECRET_KEY")
    if not key:
        raise ImproperlyConfigured(f"SECRET_KEY is not set. Make one: {MAKE_A_KEY}")
    if "," in key:
        raise ImproperlyConfigured(
            "SECRET_KEY has a comma, which ends a key in SECRET_KEY_FALLBACKS: it could not be"
            f" replaced without logging everybody out. Make one: {MAKE_A_KEY}"
        )
    return _checked("SECRET_KEY", key)


def secret_key_fallbacks() -> list[str]:
    return [_checked("SECRET_KEY_FALLBACKS", key) for key in words("SECRET_KEY_FALLBACKS")]


def _checked(name: str, key: str) -> str:
    if key in KNOWN_KEYS:
        raise ImproperlyConfigured(f"{name} is a publicly known key. Make one: {MAKE_A_KEY}")
    if len(key.encode()) < 32:
        raise ImproperlyConfigured(f"{name} is shorter than 32 bytes. Make one: {MAKE_A_KEY}")
    return key
