"""The dashboards as files: up to date, well-formed, readable at two in the morning."""

import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from deploy.grafana.__main__ import dashboards as built
from deploy.local.layout import PROJECT, SERVICES
from tests.observing.documents import DASHBOARDS, dashboards

PROVISIONING = PROJECT / "deploy" / "grafana" / "provisioning"
ALL = dashboards()
COLUMNS = 24
# From this one on Grafana reads it without a migration that could lose something.
OLDEST_SCHEMA = 36
OF_GRAFANA = {"__rate_interval"}
# As Grafana spells them; it would show an unknown one as a word behind the number.
UNITS = {"short", "percentunit", "s", "reqps", "bytes", "currencyRUB", "string"}


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in ALL[name]["panels"] if panel["type"] != "row"]


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    side_by_side = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not side_by_side and not above


def test_the_committed_files_are_what_the_source_makes() -> None:
    committed = {file.name: file.read_text() for file in DASHBOARDS.iterdir()}

    assert committed == dict(built()), "run `make dashboards`"


def test_there_is_an_overview_and_a_dashboard_for_each_service() -> None:
    assert ALL.keys() == {"overview", *SERVICES}
    assert {each["uid"] for each in ALL.values()} == {
        f"shop-{name}" for name in ("overview", *SERVICES)
    }


@pytest.mark.parametrize("name", ALL)
def test_every_panel_has_an_id_and_a_place_of_its_own(name: str) -> None:
    all_panels = ALL[name]["panels"]
    places = [panel["gridPos"] for panel in all_panels]

    assert ALL[name]["schemaVersion"] >= OLDEST_SCHEMA
    assert len({panel["id"] for panel in all_panels}) == len(all_panels)
    assert [place for place in places if place["x"] + place["w"] > COLUMNS] == []
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


@pytest.mark.parametrize("name", ALL)
def test_every_panel_says_what_it_shows_in_which_unit(name: str) -> None:
    for panel in panels(name):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"] in UNITS, panel["title"]
        assert all(query["legendFormat"] for query in panel["targets"]), panel["title"]
        if panel["type"] == "stat":
            assert defaults["thresholds"]["steps"], panel["title"]


@pytest.mark.parametrize("name", ALL)
def test_every_panel_asks_the_provisioned_data_source(name: str) -> None:
    provisioned = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())
    (source,) = provisioned["datasources"]
    asked = [panel["datasource"] for panel in panels(name)]
    asked += [each["datasource"] for each in ALL[name]["templating"].get("list", [])]

    assert {(each["type"], each["uid"]) for each in asked} == {(source["type"], source["uid"])}


def test_queries_of_a_panel_have_different_letters() -> None:
    for name in ALL:
        for panel in panels(name):
            letters = [query["refId"] for query in panel["targets"]]
            assert len(set(letters)) == len(letters) > 0, panel["title"]


def test_every_variable_that_is_used_is_there() -> None:
    for name in ALL:
        known = {each["name"] for each in ALL[name]["templating"].get("list", [])}
        for panel in panels(name):
            asked = " ".join(each["expr"] for each in panel["targets"])
            assert set(re.findall(r"\$\{?(\w+)", asked)) <= known | OF_GRAFANA, panel["title"]
