"""A dashboard: rows of panels under one name, with links to the others."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from deploy.grafana.panels import SOURCE, Panel

TAG = "shop"
Rows = Mapping[str, Sequence[Panel]]


def board(
    name: str, title: str, description: str, rows: Rows, *, views_of: str | None = None
) -> dashboard.Dashboard:
    """``rows``: panels by the title of their row; ``views_of``: the service whose views ``$view``
    chooses from.
    """
    made = build.Dashboard(title).uid(name).description(description).tags([TAG])
    made.time("now-1h", "now").refresh("30s").timezone("browser").readonly()
    made.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).link(_others())
    if views_of:
        made.with_variable(_view(views_of))
    number = 0
    for row, panels in rows.items():
        number += 1
        made.with_row(build.Row(row).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number))
    return made.build()


def _others() -> build.DashboardLink:
    link = build.DashboardLink("Shop").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(False).include_vars(False).keep_time(True)


def _view(service: str) -> build.QueryVariable:
    metric = "django_http_requests_total_by_view_transport_method_total"
    variable = build.QueryVariable("view").label("View").datasource(SOURCE)
    variable.query(f'label_values({metric}{{service="{service}"}}, view)')
    variable.multi(True).include_all(True).all_value(".+")
    variable.current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    variable.refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
    return variable.sort(dashboard.VariableSort.ALPHABETICAL_ASC)
