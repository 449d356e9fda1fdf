"""What is kept because making it anew costs more than keeping it."""

from collections.abc import Callable
from functools import cache, lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.core.signals import setting_changed

MOST_TEXTS = 1024
LONGEST_TEXT = 300

P = ParamSpec("P")
T = TypeVar("T")
Text = TypeVar("Text", str, bytes)


def short_texts(
    make: Callable[Concatenate[Text, P], T],
) -> Callable[Concatenate[Text, P], T]:
    """Remembers what is made of texts that clients send: the same few come again and again.

    Long ones are made anew: they would take the memory and hardly come a second time.
    """
    remembered = cast(Callable[Concatenate[Text, P], T], lru_cache(maxsize=MOST_TEXTS)(make))

    @wraps(make)
    def made(text: Text, /, *args: P.args, **kwargs: P.kwargs) -> T:
        find = remembered if len(text) <= LONGEST_TEXT else make
        return find(text, *args, **kwargs)

    return made


def from_settings(make: Callable[[], T]) -> Callable[[], T]:
    """What follows from the settings, of which each look-up costs half a microsecond."""
    made = cache(make)
    setting_changed.connect(lambda **_: made.cache_clear(), weak=False)  # by a test
    return made
