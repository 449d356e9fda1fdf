"""What a client sends: bodies by their media type, and queries, checked by serializers."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import QueryDict
from django.utils.http import parse_header_parameters
from rest_framework import parsers, serializers

from store import errors, wire
from store.remembered import short_texts
from store.renderers import JSONRenderer


class JSONParser(parsers.BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        return wire.decode(body) if body.strip() else {}


class FormParser(parsers.FormParser):
    """Refuses what is no UTF-8, where Django puts other characters in its place."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        wire.text_of(unquote_to_bytes(body))
        return super().parse(BytesIO(body), media_type, parser_context)


class MultiPartParser(parsers.MultiPartParser):
    """The same; there are no files that could hold other bytes. It wants the end, too."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        wire.text_of(body)
        _, parameters = parse_header_parameters(media_type)
        if f"--{parameters.get('boundary')}--".encode() not in body:
            raise wire.Malformed("The form is cut off, or is none at all.")
        return super().parse(BytesIO(body), media_type, parser_context)


@short_texts
def validated_query(text: str, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Of a query string; unknown parameters are ignored. Not to be changed. Raises Invalid."""
    return validated(serializer, QueryDict(text))


def validated(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Raises Invalid with the errors by field."""
    # The fields of a form look into its serializer; those of a JSON object can be shared, and
    # copying them for each request would cost five times what checking them does.
    is_form = isinstance(data, QueryDict)
    checked = serializer(data=data) if is_form else _shared(serializer)
    data = () if data is None else data  # null is no object either, and answered alike
    try:
        return checked.run_validation(data)  # type: ignore[no-any-return]
    except serializers.ValidationError as problem:
        raise errors.Invalid(errors=_flat(problem.detail)) from None


@cache
def _shared(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return serializer()


def _flat(problems: Any, prefix: str = "") -> dict[str, list[str]]:
    """Nested field errors by dotted path: ``{"items.0.quantity": ["..."]}``."""
    if isinstance(problems, Mapping):
        pairs = [(str(name), problem) for name, problem in problems.items()]
    elif all(isinstance(problem, str) for problem in problems):
        return {prefix or "body": [str(problem) for problem in problems]}
    else:
        pairs = [(str(place), problem) for place, problem in enumerate(problems)]
    flat: dict[str, list[str]] = {}
    for name, problem in pairs:
        if problem:
            flat |= _flat(problem, f"{prefix}.{name}" if prefix else name)
    return flat
