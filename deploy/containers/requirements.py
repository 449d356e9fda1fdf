"""The part of requirements.lock that one service needs, hashes included: ``requirements.py APP``.

Traces come with every service; they are loaded only where an endpoint is set.

Runs where an image is built, on the bare Python of its base.
"""

import re
import sys
import tomllib
from pathlib import Path

# A pinned package with its hashes, and the comment below them that says who wants it.
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==.*\n(?:[ ].*\n)*", re.MULTILINE)
WANTED_BY = re.compile(r"^    # +(?:via )?([a-z0-9][a-z0-9._-]*)", re.MULTILINE)


def requirements(app: str, *, project: str, lock: str) -> str:
    """A lock file. Raises KeyError for an app that pyproject.toml has no group for."""
    declared = tomllib.loads(project)["project"]
    groups = declared["optional-dependencies"]
    roots = declared["dependencies"] + groups[app] + groups["tracing"]
    entries = {found[1]: found[0] for found in ENTRY.finditer(lock)}
    wanted = {_name(root) for root in roots}
    while more := {name for name in entries.keys() - wanted if _wanted_by(entries[name]) & wanted}:
        wanted |= more
    return "".join(entries[name] for name in sorted(wanted))


def _name(requirement: str) -> str:
    """``django`` of ``Django>=5.2``."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()


def _wanted_by(entry: str) -> set[str]:
    return set(WANTED_BY.findall(entry))


if __name__ == "__main__":
    folder = Path(__file__).parent
    project, lock = (folder / name for name in ("pyproject.toml", "requirements.lock"))
    print(requirements(sys.argv[1], project=project.read_text(), lock=lock.read_text()), end="")
