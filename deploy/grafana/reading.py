"""The tables: which panels a dashboard has, row by row, in tables/*.toml.

A panel has ``title``, ``description``, ``queries`` (each ``expr`` and ``legend``) and, by its
``kind`` ("graph" where none is given), what deploy/grafana/panels.py takes for it: ``unit``,
``limits``, ``span``, ``is_stacked``, ``hidden``. ``only`` names the services that have it.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards import Rows, board
from deploy.grafana.panels import KINDS, Limits, Panel, Query

TABLES = Path(__file__).parent / "tables"


def overview() -> Dashboard:
    about = "Is the shop well, and how does it sell? Each service has a dashboard of its own."
    return board("shop-overview", "Shop overview", about, _rows("overview"))


def service_board(name: str) -> Dashboard:
    """``name``: of the service, as in the label ``service``. All alike, then its own rows."""
    about = f"How {name} is doing. Choose views above to look at a part of it."
    rows = {**_rows("service", service=name), **_rows(name, service=name)}
    return board(f"shop-{name}", f"Service: {name}", about, rows, views_of=name)


def _rows(table: str, *, service: str = "") -> Rows:
    """``$service`` in the table stands for the service."""
    written = (TABLES / f"{table}.toml").read_text().replace("$service", service)
    rows = tomllib.loads(written)["row"]
    return {
        row["title"]: [_panel(each) for each in row["panel"] if _is_for(service, each)]
        for row in rows
    }


def _is_for(service: str, panel: Mapping[str, Any]) -> bool:
    return "only" not in panel or service in panel["only"]


def _panel(written: Mapping[str, Any]) -> Panel:
    """Raises TypeError for what a panel of its kind does not take."""
    given = {"kind": "graph", "limits": None} | dict(written)
    given.pop("only", None)
    kind, limits = given.pop("kind"), given.pop("limits")
    if limits:
        given["limits"] = Limits(**limits)
    return KINDS[kind](queries=[Query(**each) for each in given.pop("queries")], **given)
