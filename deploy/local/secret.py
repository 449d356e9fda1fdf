"""The shop's own key: made once, kept in its run folder, never shown."""

import os
import secrets
from pathlib import Path

from deploy.local.layout import Layout


def secret_key(layout: Layout) -> str:
    """The key of all four services, 64 characters."""
    path = layout.run / "secret_key"
    try:
        return _kept(path)
    except FileNotFoundError:
        write_private(path, new_key() + "\n")
        return _kept(path)


def new_key() -> str:
    """64 characters that nobody guesses."""
    return secrets.token_urlsafe(48)


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner can read. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _kept(path: Path) -> str:
    path.chmod(0o600)
    return path.read_text().strip()
