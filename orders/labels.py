"""The names of the statuses for people, in the language they ask for."""

import re
from collections.abc import Iterator, Mapping

from orders.domain import Status

DEFAULT = "ru"
LABELS: Mapping[str, Mapping[Status, str]] = {
    "ru": {
        Status.CREATED: "Создан",
        Status.PROCESSING: "Обрабатывается",
        Status.SHIPPING: "Доставляется",
        Status.DELIVERED: "Доставлен",
        Status.CANCELLED: "Отменен",
    },
    "en": {
        Status.CREATED: "Created",
        Status.PROCESSING: "Processing",
        Status.SHIPPING: "Shipping",
        Status.DELIVERED: "Delivered",
        Status.CANCELLED: "Cancelled",
    },
}
_RANGE = re.compile(r"\s*([A-Za-z*][A-Za-z0-9*-]*)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")
_MOST_RANGES = 50


def language_for(accept_language: str) -> str:
    """The best of our languages for a header such as ``de, en;q=0.8``; Russian if there is none."""
    best, best_quality = DEFAULT, 0.0
    for language, quality in _ranges(accept_language):
        if quality > best_quality:
            best, best_quality = language, quality
    return best


def _ranges(accept_language: str) -> Iterator[tuple[str, float]]:
    for text in accept_language.split(",", _MOST_RANGES)[:_MOST_RANGES]:
        match = _RANGE.fullmatch(text)
        if match is None:
            continue
        language = match[1].lower().partition("-")[0].replace("*", DEFAULT)
        if language in LABELS:
            yield language, float(match[2] or 1)
