"""Every alert fires when it should, and does not when it should not, by promtool's clock."""

import re
from pathlib import Path
from typing import Any

import yaml

from deploy.local.layout import PROJECT
from tests.observing.documents import PROMETHEUS, alerts
from tests.observing.server import promtool

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "alerts.yml").read_text())
DOCS = PROJECT / "docs" / "observing.md"


def promtools_test(alert: str, case: dict[str, Any], *, fires: bool) -> dict[str, Any]:
    series = case["fires" if fires else "rests"]
    return {
        "name": f"{alert} {'fires' if fires else 'rests'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'min(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                "eval_time": case["at"],
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


def test_every_alert_fires_and_rests_as_it_should(tmp_path: Path) -> None:
    tests = [
        promtools_test(alert, case, fires=fires)
        for alert, case in CASES.items()
        for fires in (True, False)
    ]
    file = tmp_path / "alerts_test.yml"
    rules = [str(rules) for rules in (PROMETHEUS / "rules").glob("*.yml")]
    content = {"rule_files": rules, "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(content, allow_unicode=True))

    ran = promtool("test", "rules", file)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_has_its_cases() -> None:
    names = [alert["alert"] for alert in alerts()]

    assert len(names) == len(set(names))
    assert CASES.keys() == set(names)
    assert [name for name, case in CASES.items() if case["fires"] == case["rests"]] == []


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCS.read_text(), re.MULTILINE)
    anchors = {heading.lower() for heading in headings}

    for alert in alerts():
        page, anchor = alert["annotations"]["runbook"].split("#")
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"].endswith((".", "reason."))
        assert (PROJECT / page) == DOCS
        assert anchor in anchors, alert["alert"]
