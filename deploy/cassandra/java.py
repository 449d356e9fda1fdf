"""The Java that runs Cassandra, and the jars that are Cassandra."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.local.layout import PROJECT, CannotStart

VERSIONS = (17, 11)
JARS = PROJECT / ".run" / "cassandra-5.0.5"
POM = Path(__file__).with_name("pom.xml")
NO_JAVA = (
    "Cassandra needs Java 17 or 11, and there is none{found}. On Debian: apt-get install"
    " openjdk-17-jre-headless; or set JAVA_HOME. Without CASSANDRA_HOST the shop keeps its"
    " catalogue in memory and needs neither."
)
NO_MAVEN = (
    "Cassandra comes through Maven once, and there is no `mvn`. On Debian: apt-get install maven."
    " Without CASSANDRA_HOST the shop keeps its catalogue in memory and needs neither."
)


def java() -> str:
    """JAVA_HOME's, the path's, or one from the usual places. Raises CannotStart."""
    found: dict[int, str] = {}
    for candidate in _candidates():
        found.setdefault(_version(candidate), candidate)
    for version in VERSIONS:
        if version in found:
            return found[version]
    known = ", ".join(str(version) for version in sorted(found) if version)
    raise CannotStart(NO_JAVA.format(found=f", only {known}" if known else ""))


def jars() -> Path:
    """The folder of the jars, fetched once. Raises CannotStart."""
    if JARS.is_dir():
        return JARS
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart(NO_MAVEN)
    print("Fetching Apache Cassandra (66 MB, once) ...", flush=True)
    JARS.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A folder that is there is complete: it gets its name at the very end.
    with tempfile.TemporaryDirectory(dir=JARS.parent) as folder:
        _fetch(maven, Path(folder) / "lib")
        if not JARS.is_dir():
            (Path(folder) / "lib").rename(JARS)
    return JARS


def _fetch(maven: str, folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    command = [maven, "--quiet", "--batch-mode", "--file", str(POM), *goal]
    environment = dict(os.environ) | {"JAVA_HOME": str(Path(java()).resolve().parents[1])}
    done = subprocess.run(command, check=False, env=environment)  # noqa: S603
    if done.returncode != 0:
        raise CannotStart("Maven could not fetch Apache Cassandra; it has said above why.")


def _candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"{home}/bin/java"
    if here := shutil.which("java"):
        yield here
    for place, pattern in (
        ("/usr/lib/jvm", "*/bin/java"),
        ("/Library/Java/JavaVirtualMachines", "*/Contents/Home/bin/java"),
        ("/opt/homebrew/opt", "openjdk*/bin/java"),
        ("/opt", "*/bin/java"),
    ):
        yield from (str(path) for path in sorted(Path(place).glob(pattern)))


def _version(candidate: str) -> int:
    """17 for ``openjdk version "17.0.9"``; 0 for what is no Java."""
    try:
        said = subprocess.run(  # noqa: S603
            [candidate, "-version"], check=False, capture_output=True, text=True, timeout=20
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(\d+)', said)
    return int(version[1]) if version else 0
