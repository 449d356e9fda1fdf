"""The rules and dashboards as data, and the metrics that they name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.local.layout import PROJECT

PROMETHEUS = PROJECT / "deploy" / "prometheus"
DASHBOARDS = PROJECT / "deploy" / "grafana" / "dashboards"

_QUOTED = re.compile(r'"[^"]*"')
_NOT_NAMES = re.compile(
    r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    r"|\boffset\s+\w+"
)
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_][\w:]*(?!\w*\s*\()(?![\w:])")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without"}


@dataclass(frozen=True)
class Target:
    """One query of a panel."""

    dashboard: str
    panel: str
    expr: str
    is_instant: bool

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.expr}"


def rules() -> list[dict[str, Any]]:
    """Recording and alert rules."""
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def dashboards() -> dict[str, dict[str, Any]]:
    """By the name of the file."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(DASHBOARDS.glob("*.json"))}


def targets() -> Iterator[Target]:
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for query in panel.get("targets", []):
                yield Target(name, panel["title"], query["expr"], query["instant"])


def metrics_in(expr: str) -> set[str]:
    """The names of the metrics that a query asks for."""
    bare = _NOT_NAMES.sub(" ", _QUOTED.sub('""', expr))
    return set(_NAME.findall(bare)) - _WORDS
