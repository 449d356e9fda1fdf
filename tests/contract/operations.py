"""Every operation of the four services, as their OpenAPI documents describe them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from store import docs

Schema = Mapping[str, Any]

ASKED = ("parameters", "requestBody")


@dataclass(frozen=True)
class Operation:
    """One verb at one path. ``body`` and the parameters are schemas without references."""

    service: str
    verb: str
    path: str
    body: Schema | None = field(repr=False)
    media_types: tuple[str, ...] = field(repr=False)
    path_parameters: Mapping[str, Schema] = field(repr=False)
    query: Mapping[str, Schema] = field(repr=False)
    headers: tuple[str, ...] = field(repr=False)
    services: tuple[str, ...]
    is_stream: bool

    @property
    def name(self) -> str:
        return f"{self.service} {self.verb} {self.path}"

    @property
    def takes_a_body(self) -> bool:
        """Whether the verb may have one at all; without a schema it has to be empty."""
        return self.verb in ("POST", "PUT")

    def url(self, **ids: object) -> str:
        return settings.PREFIXES[self.service] + self.path.format(**ids)


def resolved(schema: Any, components: Mapping[str, Schema]) -> Any:
    """The schema with what it refers to in its place, and its first alternative as itself."""
    if isinstance(schema, list):
        return [resolved(each, components) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return resolved(components[schema["$ref"].rpartition("/")[2]], components)
    plain = {name: resolved(value, components) for name, value in schema.items()}
    alternatives = plain.pop("oneOf", None) or plain.pop("allOf", None)
    return {**alternatives[0], **plain} if alternatives else plain


def _operations(service: str) -> Iterator[Operation]:
    document = docs.operations(service)
    components = document["components"]["schemas"]
    for path, ways in document["paths"].items():
        for verb, described in ways.items():
            asked = {name: resolved(described.get(name, {}), components) for name in ASKED}
            yield _operation(service, verb.upper(), path, described | asked)


def _operation(service: str, verb: str, path: str, described: Mapping[str, Any]) -> Operation:
    contents = described["requestBody"].get("content", {})
    parameters = described["parameters"]

    def schemas(place: str) -> dict[str, Schema]:
        return {each["name"]: each["schema"] for each in parameters if each["in"] == place}

    return Operation(
        service=service,
        verb=verb,
        path=path,
        body=contents["application/json"]["schema"] if contents else None,
        media_types=tuple(contents),
        path_parameters=schemas("path"),
        query=schemas("query"),
        headers=tuple(schemas("header")),
        services=tuple(described.get("x-callers", ())),
        is_stream="text/event-stream" in described["responses"].get("200", {}).get("content", {}),
    )


OPERATIONS = [each for service in settings.PREFIXES for each in _operations(service)]
BY_NAME = {each.name: each for each in OPERATIONS}
