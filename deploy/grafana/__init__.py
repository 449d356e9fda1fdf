"""Grafana's dashboards: written as tables of panels, committed as the JSON that Grafana reads."""
