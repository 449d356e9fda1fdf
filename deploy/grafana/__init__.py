"""Grafana's dashboards: written here in Python, committed as the JSON that Grafana reads."""
