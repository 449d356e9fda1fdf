"""What `make up` says before anything is started, where it cannot be."""

import socket
from pathlib import Path

import pytest

from deploy.containers import engine as engines
from deploy.containers.__main__ import check_port
from deploy.local.layout import CannotStart


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder that programs are looked for in; empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "OWN_COMPOSE", str(tmp_path / "podman-compose"))
    return tmp_path


def install(folder: Path, name: str) -> None:
    program = folder / name
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)


def test_without_docker_and_podman_it_says_what_to_install(programs: Path):
    with pytest.raises(CannotStart, match="there is neither"):
        engines.engine({})


def test_podman_alone_is_told_what_brings_podman_compose(programs: Path):
    install(programs, "podman")

    with pytest.raises(CannotStart, match="make tools brings it"):
        engines.engine({})

    install(programs, "podman-compose")
    assert engines.engine({}).binary == "podman"


def test_an_engine_that_was_named_is_the_only_one_that_is_looked_for(programs: Path):
    install(programs, "docker")

    assert engines.engine({}).compose == ("docker", "compose")
    with pytest.raises(CannotStart, match="there is neither"):
        engines.engine({"COMPOSE": "nerdctl compose"})


@pytest.mark.parametrize("binary", ["docker", "podman"])
def test_a_port_that_is_taken_is_named_with_a_way_out(binary: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart, match=f"Port {port} is taken.*GATEWAY_PORT=8090 make up"):
            check_port(port, binary)
