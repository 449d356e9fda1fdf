"""Opens a service's journal: the lock, the replay, the log that goes on."""

import logging
import time
from pathlib import Path
from typing import Any

from store.journal.errors import CannotOpen
from store.journal.folder import Folder
from store.journal.replay import Replayed, replay
from store.journal.writer import Journal

log = logging.getLogger(__name__)


def open_journal(data: Path, service: str, **options: Any) -> Journal:
    """The journal in ``data/service``, replayed; ``options`` are Journal's. Raises CannotOpen."""
    folder = Folder(data, service)
    began_at = time.monotonic()
    try:
        state = replay(folder)
        journal = Journal(folder, state, **options)
        folder.discard_before(state.first)
    except OSError as error:
        folder.close()
        raise CannotOpen(f"{folder.path} can not be written to: {error.strerror}.") from None
    except CannotOpen:
        folder.close()
        raise
    _report(folder, state, seconds=time.monotonic() - began_at)
    return journal


def _report(folder: Folder, state: Replayed, *, seconds: float) -> None:
    if state.records:
        log.info("%s: %d records replayed in %.2f s", folder.path, state.records, seconds)
