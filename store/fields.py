"""Serializer fields that are strict for JSON; forms and query strings may spell numbers."""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.utils import html

from store.errors import Invalid
from store.money import KOPECK, MAX_PRICE, ZERO, has_kopecks_at_most

_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_SWITCH = {"true": True, "false": False, "on": True, "1": True, "0": False}


class Serializer(serializers.Serializer[Any]):
    """A serializer of one JSON object or form."""

    default_error_messages = {"invalid": "Send a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        """A name that stands twice in a form or a query string is refused, as it is in JSON."""
        if html.is_html_input(data) and (twice := self._named_twice(data)):
            raise serializers.ValidationError({name: ["Stands twice."] for name in twice})
        return super().to_internal_value(data)

    def _named_twice(self, data: Any) -> list[str]:
        return [
            name
            for name, field in self.fields.items()
            if len(data.getlist(name)) > 1 and not isinstance(field, serializers.ListField)
        ]


class _Spelled(serializers.Field[Any, Any, Any, Any]):
    """Knows whether its value came as text, from a form or a query string."""

    def _is_spelled(self, data: object) -> bool:
        return isinstance(data, str) and html.is_html_input(
            getattr(self.root, "initial_data", None)
        )


class _Bounded(_Spelled):
    default_error_messages = {
        "min_value": "At least {limit}.",
        "max_value": "At most {limit}.",
    }

    def __init__(self, *, min_value: Any = None, max_value: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_value = min_value
        self.max_value = max_value

    def _bounded(self, value: Any) -> Any:
        if self.min_value is not None and value < self.min_value:
            self.fail("min_value", limit=self.min_value)
        if self.max_value is not None and value > self.max_value:
            self.fail("max_value", limit=self.max_value)
        return value

    def to_representation(self, value: Any) -> Any:
        return value


class IntegerField(_Bounded, serializers.IntegerField):
    default_error_messages = {"invalid": "A whole number is required."}

    def __init__(
        self, *, min_value: int | None = None, max_value: int | None = None, **kwargs: Any
    ) -> None:
        _Bounded.__init__(self, min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if self._is_spelled(data) and _WHOLE.fullmatch(data):
            data = int(data)
        if type(data) is not int:
            self.fail("invalid")
        return int(self._bounded(data))


class MoneyField(_Bounded, serializers.FloatField):
    """Decimal roubles, kept with two decimals; an int or a Decimal in JSON."""

    default_error_messages = {
        "invalid": "A number is required.",
        "decimals": "At most two decimals.",
    }

    def __init__(
        self, *, min_value: Decimal = ZERO, max_value: Decimal = MAX_PRICE, **kwargs: Any
    ) -> None:
        _Bounded.__init__(self, min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if self._is_spelled(data) and _DECIMAL.fullmatch(data):
            data = Decimal(data)
        if type(data) not in (int, Decimal):
            self.fail("invalid")
        amount = Decimal(data)
        if not has_kopecks_at_most(amount):
            self.fail("decimals")
        bounded: Decimal = self._bounded(amount)
        return bounded.quantize(KOPECK) + ZERO


class BooleanField(_Spelled, serializers.BooleanField):
    default_error_messages = {"invalid": "true or false is required."}
    default_empty_html = serializers.empty  # a box that is not sent is left out, not False

    def to_internal_value(self, data: Any) -> bool:
        if self._is_spelled(data):
            data = _SWITCH.get(data.lower())
        if type(data) is not bool:
            self.fail("invalid")
        return bool(data)


class UUIDField(serializers.UUIDField):
    default_error_messages = {"invalid": "A UUID is required."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data.lower()):
            self.fail("invalid", value=data)
        return UUID(data)


class ListField(serializers.ListField):
    """Counts before it looks: a body has room for 100,000 items, and a wrong one takes 0.1 ms."""

    def __init__(self, *, allow_empty: bool = True, **kwargs: Any) -> None:
        # The OpenAPI document knows of a least length, not of emptiness.
        super().__init__(allow_empty=allow_empty, min_length=None if allow_empty else 1, **kwargs)

    def get_value(self, dictionary: Any) -> Any:
        try:
            return super().get_value(dictionary)
        except ValueError:  # the place of an item, in a form, has thousands of digits
            raise Invalid(errors={self.field_name or "": ["A place is too large."]}) from None

    def run_child_validation(self, data: Any) -> Any:
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_child_validation(data)


class DateTimeField(serializers.DateTimeField):
    """ISO 8601 in ASCII: Django's pattern takes the digits of every script."""

    def __init__(self, **kwargs: Any) -> None:
        # A browser's field for moments knows no offsets, and DRF's crashes on what is no moment.
        # Named, the zone is not looked up for each moment, which took half of the reading.
        super().__init__(**kwargs, default_timezone=UTC, style={"input_type": "text"})

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.isascii():
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss[.uuuuuu][+HH:MM|-HH:MM|Z]")
        return super().to_internal_value(value)


class TextField(serializers.CharField):
    """A real string of characters that can be stored and shown; kept as it is."""

    default_error_messages = {
        "invalid": "Text is required.",
        "characters": "NUL and lone surrogates are not accepted.",
    }

    def __init__(
        self, *, min_length: int = 1, trim_whitespace: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("allow_blank", min_length == 0)
        super().__init__(trim_whitespace=trim_whitespace, min_length=min_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data or not _encodable(data):
            self.fail("characters")
        return super().to_internal_value(data)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
