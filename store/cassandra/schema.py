"""What a service has on Cassandra: its tables, and every statement that its requests make."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statements:
    """CQL by the name under which the metrics count it; the groups are the profiles of the
    settings, which say how it is sent. Tables are named without their keyspace.

    ``decisive`` ones are reads that see, and settle, what any conditional write in flight has
    done. The outcome of ``moving`` ones is read at once where an answer is late, so it is not
    waited for as long as that of other conditional ones. ``scan`` ones are for commands.
    """

    plain: Texts = field(default_factory=dict)
    decisive: Texts = field(default_factory=dict)
    conditional: Texts = field(default_factory=dict)
    moving: Texts = field(default_factory=dict)
    scan: Texts = field(default_factory=dict)

    def every(self, keyspace: str) -> dict[str, str]:
        """All of them, on the tables of this keyspace."""
        return {
            name: re.sub(r"\b(FROM|INTO|UPDATE) (\w+)\b(?!\.)", rf"\1 {keyspace}.\2", text)
            for texts in self._groups().values()
            for name, text in texts.items()
        }

    def profiles(self) -> dict[str, str]:
        """How each is sent, by name; those of the last group, like plain ones unless scanned."""
        profiles = {name: group for group, texts in self._groups().items() for name in texts}
        return profiles | dict.fromkeys(self.scan, "plain")

    def __or__(self, other: "Statements") -> "Statements":
        """Those of both."""
        ours, theirs = self._groups(), other._groups()
        return Statements(**{group: {**ours[group], **theirs[group]} for group in ours})

    def _groups(self) -> dict[str, Texts]:
        return {
            "plain": self.plain,
            "decisive": self.decisive,
            "conditional": self.conditional,
            "moving": self.moving,
            "scan": self.scan,
        }


@dataclass(frozen=True, slots=True)
class Schema:
    """``tables`` are models of the driver's cqlengine, ``trial`` the name of a write that does
    nothing, and its values: whoever may only read should hear of it before the first user does.
    """

    service: str
    tables: Sequence[Any]
    statements: Statements
    trial: tuple[str, Sequence[object]]
