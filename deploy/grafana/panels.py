"""The few kinds of panels that the dashboards are made of, on Grafana's own builders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="prometheus")
GREEN, ORANGE, RED = "green", "orange", "red"
Panel = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what its series are called: ``{{service}}`` is the value of a label."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a value is worth a look, and from where on it is bad.

    With ``bad`` below ``look`` it is small values that are bad.
    """

    look: float
    bad: float

    def steps(self) -> build.ThresholdsConfig:
        worse = [(self.look, ORANGE), (self.bad, RED)]
        colours = [GREEN, ORANGE, RED]
        if self.bad < self.look:
            worse, colours = [(self.bad, ORANGE), (self.look, GREEN)], [RED]
        steps = [dashboard.Threshold(None, colours[0])]
        steps += [dashboard.Threshold(value, colour) for value, colour in worse]
        mode = dashboard.ThresholdsMode.ABSOLUTE
        return build.ThresholdsConfig().mode(mode).steps(steps)


def graph(
    title: str,
    description: str,
    *,
    queries: Sequence[Query],
    unit: str,
    limits: Limits | None = None,
    is_stacked: bool = False,
    span: int = 8,
) -> timeseries.Panel:
    """Lines over time; ``limits`` are drawn as dashed lines."""
    panel = timeseries.Panel().unit(unit).min(0).fill_opacity(10).line_width(1)
    names = looks.LegendDisplayMode.TABLE
    legend = common.VizLegendOptions().display_mode(names).show_legend(True)
    below = looks.LegendPlacement.BOTTOM
    panel.legend(legend.placement(below).calcs(["lastNotNull", "max"]))
    every = common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI)
    panel.tooltip(every.sort(looks.SortOrder.DESCENDING))
    if limits:
        dashed = common.GraphThresholdsStyleConfig().mode(looks.GraphTresholdsStyleMode.DASHED)
        panel.thresholds(limits.steps()).thresholds_style(dashed)
    if is_stacked:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL)).fill_opacity(40)
    _fill(panel, title, description, queries)
    return panel.span(span).height(8)


def figure(
    title: str,
    description: str,
    *,
    queries: Sequence[Query],
    unit: str,
    limits: Limits | None = None,
    span: int = 4,
) -> stat.Panel:
    """One number, as it is now, in the colour that its limits give it; grey without any."""
    panel = stat.Panel().unit(unit).decimals(1 if unit != "short" else 0)
    panel.graph_mode(looks.BigValueGraphMode.AREA).color_mode(looks.BigValueColorMode.VALUE)
    panel.text_mode(looks.BigValueTextMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    plain = build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE)
    plain.steps([dashboard.Threshold(None, "text")])
    panel.thresholds(limits.steps() if limits else plain)
    _fill(panel, title, description, queries)
    return panel.span(span).height(4)


def bars(
    title: str, description: str, *, queries: Sequence[Query], unit: str, span: int = 12
) -> bargauge.Panel:
    """What is largest now, as bars."""
    panel = bargauge.Panel().unit(unit).min(0).orientation(looks.VizOrientation.HORIZONTAL)
    panel.display_mode(looks.BarGaugeDisplayMode.BASIC)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    _fill(panel, title, description, queries, is_instant=True)
    return panel.span(span).height(9)


def rows(
    title: str, description: str, *, queries: Sequence[Query], hidden: Sequence[str]
) -> table.Panel:
    """The series that there are now, one a row, with their labels but the ``hidden`` ones."""
    panel = table.Panel().unit("string")
    away = dict.fromkeys(hidden, True)
    panel.with_transformation(
        dashboard.DataTransformerConfig(id_val="organize", options={"excludeByName": away})
    )
    _fill(panel, title, description, queries, is_instant=True)
    return panel.span(24).height(7)


def _fill(
    panel: Panel,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    is_instant: bool = False,
) -> None:
    panel.title(title).description(description).datasource(SOURCE)
    for name, query in zip(ascii_uppercase, queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(name)
        if is_instant:
            target.instant()
            if isinstance(panel, table.Panel):
                target.format(PromQueryFormat.TABLE)
        else:
            target.range()
        panel.with_target(target)


KINDS: Mapping[str, Callable[..., Panel]] = {
    "graph": graph,
    "figure": figure,
    "bars": bars,
    "rows": rows,
}
