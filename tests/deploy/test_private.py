"""The keys of a shop in containers: made once, private, never overwritten."""

import subprocess
from pathlib import Path

import pytest

from deploy.containers import private
from deploy.local.layout import PROJECT, CannotStart


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_the_first_start_makes_a_key_that_nobody_else_can_read(path: Path):
    made = private.settings(path, {})

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made["SECRET_KEY"]) == 64
    assert made["SECRET_KEY"] != made["GRAFANA_ADMIN_PASSWORD"]


def test_later_starts_keep_it(path: Path):
    first = private.settings(path, {})

    assert private.settings(path, {}) == first


def test_a_file_that_others_could_read_is_made_private_again(path: Path):
    private.settings(path, {})
    path.chmod(0o644)

    private.settings(path, {})

    assert path.stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_first(path: Path):
    private.settings(path, {"GATEWAY_PORT": "8090"})

    assert private.settings(path, {})["GATEWAY_PORT"] == "8090"
    assert private.settings(path, {"GATEWAY_PORT": "8091"})["GATEWAY_PORT"] == "8091"


def test_without_a_word_there_is_cassandra_and_no_demo_mode(path: Path):
    made = private.settings(path, {})

    assert made["DEMO"] == "0"
    assert made["CASSANDRA_HOST"] == "cassandra"
    assert made["COMPOSE_PROFILES"] == "cassandra"


@pytest.mark.parametrize("words", ["demo,observability", "demo observability"])
def test_profiles_turn_on_what_they_say(path: Path, words: str):
    made = private.settings(path, {"PROFILES": words})

    assert made["DEMO"] == "1"
    assert made["COMPOSE_PROFILES"] == "cassandra,demo,observability"


def test_the_gateway_leads_to_grafana_only_where_there_is_one(path: Path):
    assert private.settings(path, {"PROFILES": "observability"})["GRAFANA_ADDRESS"]
    assert private.settings(path, {})["GRAFANA_ADDRESS"] == "grafana:3000"

    assert private.settings(path, {"PROFILES": "demo"})["GRAFANA_ADDRESS"] == ""


def test_a_shop_on_another_cassandra_or_on_none_starts_none(path: Path):
    for host in ("", "10.0.0.1"):
        made = private.settings(path, {"CASSANDRA_HOST": host, "PROFILES": "demo"})

        assert made["COMPOSE_PROFILES"] == "demo"


def test_a_shop_without_its_own_cassandra_keeps_to_that(path: Path):
    private.settings(path, {"CASSANDRA_HOST": ""})

    again = private.settings(path, {"PROFILES": "demo"})

    assert again["CASSANDRA_HOST"] == ""
    assert again["COMPOSE_PROFILES"] == "demo"


def test_a_later_start_without_its_own_cassandra_starts_none(path: Path):
    private.settings(path, {"PROFILES": "demo"})

    assert private.settings(path, {"CASSANDRA_HOST": ""})["COMPOSE_PROFILES"] == "demo"
    assert private.settings(path, {})["COMPOSE_PROFILES"] == "cassandra,demo"


def test_a_profile_that_is_none_is_refused(path: Path):
    with pytest.raises(CannotStart, match="PROFILES knows demo and observability, not 'debug'"):
        private.settings(path, {"PROFILES": "debug"})

    assert not path.exists()


def test_several_of_each_stay_several(path: Path):
    private.settings(path, {"STORE": "cassandra", "INSTANCES": "2"})

    again = private.settings(path, {})

    assert (again["STORE"], again["INSTANCES"]) == ("cassandra", "2")


def test_several_in_memory_are_refused_before_a_file_is_made(path: Path):
    with pytest.raises(CannotStart, match="INSTANCES=2 needs STORE=cassandra"):
        private.settings(path, {"INSTANCES": "2"})

    assert not path.exists()


def test_the_file_is_never_committed():
    ignored = subprocess.run(
        ["git", "-C", PROJECT, "check-ignore", "deploy/.env", "deploy/kubernetes/mine/secret.env"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert len(ignored.stdout.splitlines()) == 2
