"""What a container refuses before it starts, in a sentence."""

import os
import subprocess
import sys

import pytest

from deploy.containers.serve import REFUSED, refusal
from deploy.local.layout import PROJECT

CARTS = {"APP": "carts", "PORT": "8001"}


def test_one_process_is_fine():
    assert refusal(CARTS) is None
    assert refusal(CARTS | {"WEB_CONCURRENCY": ""}) is None
    assert refusal(CARTS | {"WEB_CONCURRENCY": "1"}) is None


def test_a_second_process_would_be_another_shop():
    words = refusal(CARTS | {"WEB_CONCURRENCY": "2"})

    assert words is not None
    assert "carts keeps its data in the memory of exactly one process" in words


def test_a_catalogue_on_cassandra_may_have_several():
    catalog = {"APP": "catalog", "PORT": "8000", "WEB_CONCURRENCY": "2"}

    assert refusal(catalog | {"CASSANDRA_HOST": "10.0.0.1"}) is None
    assert refusal(catalog | {"CASSANDRA_HOST": " "}) is not None


def test_carts_may_not_have_several_whatever_the_catalogue_is_on():
    assert refusal(CARTS | {"WEB_CONCURRENCY": "2", "CASSANDRA_HOST": "10.0.0.1"}) is not None


def test_any_service_on_cassandra_may_have_several():
    several = CARTS | {"WEB_CONCURRENCY": "2", "STORE": "Cassandra"}

    assert refusal(several | {"CASSANDRA_HOST": "10.0.0.1"}) is None
    assert refusal(several) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("WEB_CONCURRENCY", value) for value in ("0", "-1", "many", "1.5", "²")],
        *[("PORT", value) for value in ("", "0", "65536", "http", "８０")],
    ],
)
def test_what_is_no_number_is_named(name: str, value: str):
    words = refusal(CARTS | {name: value})

    assert words is not None
    assert words.startswith(f"{name} is {value!r}")


def test_a_refusal_is_the_last_word_of_the_process():
    environment = {"PATH": os.environ["PATH"], "APP": "orders", "PORT": "8002"}

    ended = subprocess.run(
        [sys.executable, PROJECT / "deploy" / "containers" / "serve.py"],
        env=environment | {"WEB_CONCURRENCY": "4"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == REFUSED
    assert "WEB_CONCURRENCY is 4" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
