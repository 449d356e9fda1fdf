"""Docker Compose or podman-compose, whichever this machine has, told about the shop."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.containers.several import addresses
from deploy.local.layout import PROJECT, CannotStart

FILE = PROJECT / "deploy" / "compose.yaml"
LABEL = "com.docker.compose"
OWN_COMPOSE = str(PROJECT / ".venv" / "bin" / "podman-compose")
NO_ENGINE = (
    "Containers need Docker with Compose, or podman with podman-compose, and there is neither."
    " On Debian: apt-get install podman, then make tools, which brings podman-compose; or name"
    " yours: COMPOSE='docker compose' make up. Without containers: make run"
)
NO_COMPOSE = (
    "Here is podman, but no podman-compose, which reads compose files: make tools brings it"
    " (into .venv), then make up again. Without containers: make run"
)


@dataclass(frozen=True, slots=True)
class Engine:
    """``compose`` is the command that reads compose files, ``binary`` the one that runs images."""

    compose: tuple[str, ...]
    binary: str
    environment: Mapping[str, str]

    def run(self, *words: str) -> int:
        """A compose command, in sight of whoever waits for it; its exit status."""
        command = [*self.compose, "--file", str(FILE), *words]
        told = dict(self.environment)
        if words[0] == "build":
            # Four builds at once wait for podman's locks for minutes on a small machine, and
            # podman-compose would make an image once for each container.
            told = {"COMPOSE_PARALLEL_LIMIT": "1"} | told | {"INSTANCES": "1"}
        return subprocess.run(command, check=False, env=told).returncode  # noqa: S603

    def container(self, service: str) -> str:
        """The id of a running container of the service; empty while there is none."""
        return next(iter(self.containers(service)), "")

    def containers(self, service: str) -> list[str]:
        """The ids of all of them."""
        return self._found(service)

    def restarts(self, service: str) -> int:
        """How often the engine has started its containers again."""
        found = self._found(service, "--all")
        said = self._ask("inspect", "--format", "{{.RestartCount}}", *found) if found else ""
        return sum(int(word) for word in said.split() if word.isdigit())

    def last_words(self, service: str, *, lines: int = 5) -> str:
        found = self._found(service, "--all")
        return "\n".join(self._ask("logs", "--tail", str(lines), each).strip() for each in found)

    def _found(self, service: str, *which: str) -> list[str]:
        project = self.environment.get("COMPOSE_PROJECT_NAME") or "product-store"
        filters = (f"label={LABEL}.project={project}", f"label={LABEL}.service={service}")
        words = [word for each in filters for word in ("--filter", each)]
        return self._ask("ps", "--quiet", *which, *words).split()

    def _ask(self, *words: str) -> str:
        return subprocess.run(  # noqa: S603
            [self.binary, *words],
            check=False,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout


def engine(environment: Mapping[str, str]) -> Engine:
    """COMPOSE names one; otherwise the first that is there. Raises CannotStart.

    INSTANCES and STORE of the environment are checked.
    """
    # Health checks are in Docker's format of images only; podman-compose has no option for it.
    told = {"BUILDAH_FORMAT": "docker", "REVISION": _revision()} | dict(environment)
    candidates = [
        (tuple(shlex.split(named)),) if (named := environment.get("COMPOSE")) else (),
        (("docker", "compose"), ("podman-compose",), (OWN_COMPOSE,)),
    ]
    for command in candidates[0] or candidates[1]:
        if _works(command):
            binary = "docker" if command[0] == "docker" else "podman"
            return Engine(command, binary, told | addresses(environment, binary))
    raise CannotStart(NO_COMPOSE if shutil.which("podman") else NO_ENGINE)


def _works(command: tuple[str, ...]) -> bool:
    if not shutil.which(command[0]):
        return False
    asked = subprocess.run([*command, "version"], check=False, capture_output=True)  # noqa: S603
    return asked.returncode == 0


def _revision() -> str:
    """The commit an image is made from, for its label."""
    git = shutil.which("git")
    if git is None or not (Path(PROJECT) / ".git").exists():
        return "unknown"
    command = [git, "-C", str(PROJECT), "rev-parse", "HEAD"]
    said = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return said.stdout.strip() or "unknown"
