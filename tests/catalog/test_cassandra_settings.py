"""How Cassandra is reached, by environment; and that nobody pays for it who does not use it."""

import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from store.settings import cassandra

LOADED = (
    "import django, sys; django.setup(); from catalog import apps, views;"
    "print([name for name in sys.modules if name.split('.')[0] == 'cassandra'])"
)


@pytest.mark.parametrize(
    ("text", "replication"),
    [
        ("", {"strategy_class": "SimpleStrategy", "replication_factor": 1}),
        ("3", {"strategy_class": "SimpleStrategy", "replication_factor": 3}),
        ("a:3, b:2", {"strategy_class": "NetworkTopologyStrategy", "a": 3, "b": 2}),
    ],
)
def test_replication_is_a_number_or_one_for_each_datacentre(
    monkeypatch: pytest.MonkeyPatch, text: str, replication: dict[str, Any]
) -> None:
    monkeypatch.setenv("CASSANDRA_REPLICATION", text)

    assert cassandra.replication() == replication


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASSANDRA_REPLICATION", "many"),
        ("CASSANDRA_REPLICATION", "0"),
        ("CASSANDRA_KEYSPACE", "no; such keyspace"),
        ("CASSANDRA_CONSISTENCY", "MOSTLY"),
        ("CASSANDRA_SERIAL_CONSISTENCY", "ONE"),
        ("CASSANDRA_PORT", "nine"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=name):
        cassandra.database(["127.0.0.1"])


def test_the_driver_stays_out_without_cassandra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
