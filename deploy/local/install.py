"""Makes the virtual environment from a lock file; runs on the system's own Python.

``python3 deploy/local/install.py requirements.lock``: does nothing while the lock is the same.
"""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
NEEDED = (3, 11)


def main(lock: str) -> None:
    """The installed lock is kept in the environment, to be compared with next time."""
    wanted, installed = PROJECT / lock, VENV / lock
    if installed.exists() and filecmp.cmp(wanted, installed, shallow=False):
        return
    if not (VENV / "bin" / "pip").exists():
        _make_environment()
    print(f"Installing {lock} (once, until it changes) ...", flush=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    _run(
        [*pip, "--quiet", "--require-hashes", "--only-binary=:all:", "-r", str(wanted)],
        sorry="The packages could not be installed; pip has said above why.",
    )
    shutil.copyfile(str(wanted), str(installed))


def _make_environment() -> None:
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Python 3.11 or newer is needed; this is {found}. make run PYTHON=python3.12")
    print("Making .venv ...", flush=True)
    _run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        sorry="No virtual environment could be made. On Debian: apt-get install python3-venv",
    )


def _run(command: "list[str]", *, sorry: str) -> None:
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603
        sys.exit(sorry)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
