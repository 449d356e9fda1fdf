"""How Cassandra is reached, by environment; and that nobody pays for it who does not use it."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from deploy.local.layout import PROJECT
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
        ("CASSANDRA_REPLICATION", "dc1:3,dc1:2"),
        ("CASSANDRA_REPLICATION", "dc1:0"),
        ("CASSANDRA_REPLICATION", "dc'1:1"),
        ("CASSANDRA_KEYSPACE", "1st"),
        ("CASSANDRA_KEYSPACE", "no; such keyspace"),
        ("CASSANDRA_CONSISTENCY", "MOSTLY"),
        ("CASSANDRA_SERIAL_CONSISTENCY", "ONE"),
        ("CASSANDRA_CONSISTENCY", "SERIAL"),
        ("CASSANDRA_CONSISTENCY", "ANY"),
        ("CASSANDRA_PORT", "nine"),
        ("CASSANDRA_PORT", "65536"),
        ("CASSANDRA_USER", "nobody's password is set"),
        ("CASSANDRA_PASSWORD", "nobody's"),
        ("CASSANDRA_TLS", "perhaps"),
        ("CASSANDRA_TLS_CA", "/etc/ssl/certs"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=name):
        cassandra.database(["127.0.0.1"])


@pytest.mark.parametrize("host", ["http://127.0.0.1", "127.0.0.1:9042", "a b", "node1/"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CASSANDRA_HOST"):
        cassandra.database(["127.0.0.1", host])


@pytest.mark.parametrize("name", ["CASSANDRA_TLS_CA", "CASSANDRA_TLS_CERT"])
@pytest.mark.parametrize("file", ["/nowhere/at-all.pem", __file__])
def test_a_file_that_is_no_certificate_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    monkeypatch.setenv("CASSANDRA_TLS", "1")
    monkeypatch.setenv(name, file)

    with pytest.raises(ImproperlyConfigured, match=f"{name}.*{file}"):
        cassandra.database(["127.0.0.1"])


def test_cassandra_alone_is_for_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASSANDRA_HOST", "127.0.0.1")

    found = cassandra.databases("catalog")

    assert found["catalog"]["HOST"] == "127.0.0.1"
    assert cassandra.databases("carts") == {}
    assert cassandra.apps(found)[0] == "catalog.cassandra"


def test_in_memory_nobody_has_a_database() -> None:
    assert cassandra.databases("catalog") == cassandra.databases("carts") == {}
    assert cassandra.apps({}) == []


def test_each_service_has_policies_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASSANDRA_HOST", "127.0.0.1")
    monkeypatch.setenv("STORE", "cassandra")

    first, second = (
        cassandra.databases("catalog")["catalog"]["OPTIONS"]["connection"]["execution_profiles"]
        for _ in range(2)
    )

    assert first["plain"].load_balancing_policy is not second["plain"].load_balancing_policy


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("cassandra", "STORE=cassandra needs CASSANDRA_HOST: Cassandra's nodes, comma separated."),
        ("disk", "STORE is memory, cassandra; not 'disk'."),
    ],
)
def test_a_store_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, kind: str, sentence: str
) -> None:
    monkeypatch.setenv("STORE", kind)

    with pytest.raises(ImproperlyConfigured) as refusal:
        cassandra.databases("carts")

    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "command", [["manage.py", "check_catalog"], ["-m", "uvicorn", "store.asgi:application"]]
)
def test_a_process_with_a_wrong_setting_ends_with_one_sentence(command: list[str]) -> None:
    wrong = {"CASSANDRA_HOST": "127.0.0.1", "CASSANDRA_PORT": "nine"}

    done = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        check=False,
        env=dict(os.environ) | wrong,
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert done.stderr.splitlines() == ["CASSANDRA_PORT is a number, not 'nine'."]


def test_the_driver_stays_out_without_cassandra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
