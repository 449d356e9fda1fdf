"""The state of a stopped service in its journal: read as a whole, written as one snapshot."""

from pathlib import Path

import msgspec

from store.journal import CannotOpen, open_journal
from store.journal.folder import Folder
from store.journal.replay import Tables, replay
from store.moving.errors import CannotMove


def read(data: Path, service: str) -> Tables:
    """Raises CannotMove, also while a process holds the journal."""
    if not (data / service).is_dir():
        raise CannotMove(f"{data / service} is not there: {service} has no journal in DATA_DIR.")
    return _read(data, service)


def check_empty(data: Path, service: str) -> None:
    """Raises CannotMove."""
    if any(_read(data, service).values()):
        raise CannotMove(
            f"{data / service} holds the state of a {service} already; move that folder away first."
        )


async def put(data: Path, service: str, tables: Tables) -> None:
    """All of it or nothing: the rows count once their snapshot has its name. Raises CannotMove."""
    try:
        journal = open_journal(data, service)
    except CannotOpen as error:
        raise CannotMove(str(error)) from None
    journal.keep(
        lambda: (
            (table, key, msgspec.Raw(row))
            for table, rows in tables.items()
            for key, row in rows.items()
        )
    )
    journal.open()
    try:
        await journal.compact()
    except OSError as error:
        raise CannotMove(f"{data / service} can not be written: {error.strerror}.") from None
    finally:
        await journal.close()


def _read(data: Path, service: str) -> Tables:
    try:
        folder = Folder(data, service)
    except CannotOpen as error:
        raise CannotMove(str(error)) from None
    try:
        return replay(folder).tables
    except CannotOpen as error:
        raise CannotMove(str(error)) from None
    finally:
        folder.close()
