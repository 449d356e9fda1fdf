"""Prometheus: what it asks, its rules, and one beside a local shop."""
