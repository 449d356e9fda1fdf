"""``python -m deploy.packages audit | sbom``: known holes in the locked packages; what is in them.

``audit`` asks the package index's vulnerability service and ends with 1 for a known hole; where
the service does not answer it says that nothing was audited. ``sbom`` writes .run/sbom.json, a
bill of materials (CycloneDX), the same bytes for the same lock file.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
LOCK = PROJECT / "requirements.lock"
SBOM = PROJECT / ".run" / "sbom.json"
SECONDS = 10
Report = dict[str, list[dict[str, Any]]]


def main(arguments: list[str]) -> int:
    match arguments:
        case ["audit"]:
            status, words = verdict(_audited())
            print(words)
            return status
        case ["sbom"]:
            SBOM.parent.mkdir(mode=0o700, exist_ok=True)
            write_sbom(LOCK, SBOM)
            print(f"{SBOM.relative_to(PROJECT)}: {len(components(SBOM))} packages")
            return 0
    print(__doc__)
    return 2


def _audited() -> Report | None:
    """pip-audit's report; None where the service cannot be reached."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--disable-pip", "--no-deps"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", str(SECONDS)]
    outcome = subprocess.run(  # noqa: S603  # a program of ours, nothing from outside
        [*command, "--requirement", str(LOCK)], capture_output=True, text=True, check=False
    )
    return json.loads(outcome.stdout) if outcome.stdout.strip() else None


def verdict(report: Report | None) -> tuple[int, str]:
    """The exit status, and what is said."""
    packages = report["dependencies"] if report else []
    audited = [each for each in packages if "skip_reason" not in each]
    if not audited:
        return 0, "Nothing was audited: no vulnerability service answers from here."
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version yet'}"
        for each in audited
        for hole in each["vulns"]
    ]
    asked = f"{len(audited)} of {len(packages)} packages were audited"
    return (1 if holes else 0), "\n".join([*holes, f"{asked}, {len(holes)} known holes."])


def write_sbom(lock: Path, target: Path) -> None:
    """The bill of materials of what a lock file names."""
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", str(lock)]
    command += ["--pyproject", str(PROJECT / "pyproject.toml"), "--output-reproducible"]
    subprocess.run(  # noqa: S603  # the same
        [*command, "--short-PURLs", "--output-file", str(target)],
        check=True,
        capture_output=True,
    )


def components(sbom: Path) -> dict[str, str]:
    """Versions by name."""
    found = json.loads(sbom.read_text())["components"]
    return {each["name"]: each["version"] for each in found}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
