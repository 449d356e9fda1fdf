"""The README's tour does what it says, line by line, in a shell."""

import re
import subprocess

import pytest

from deploy.local.layout import PROJECT
from deploy.local.trial import Trial

pytestmark = pytest.mark.processes

TOUR = re.compile(r"^```sh tour\n(.*?)^```", re.MULTILINE | re.DOTALL)


def assert_the_tour_runs(running: Trial, *, retries: int = 0) -> None:
    """From its first line to its last; what is answered 503 is asked again so many times."""
    blocks = TOUR.findall((PROJECT / "README.md").read_text())
    # What is to end by its own time limit is no failure to be repeated.
    again = f'[[ "$*" == *--max-time* ]] || set -- --retry {retries} "$@"'
    patience = f'curl() {{ {again}; command curl "$@"; }}'
    script = "\n".join([patience, *blocks]).replace("http://localhost:8080", running.url)

    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert len(blocks) >= 8
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert '"CANCELLED"' in shell.stdout


def test_the_tour_runs_from_its_first_line_to_its_last(running: Trial):
    assert_the_tour_runs(running)
