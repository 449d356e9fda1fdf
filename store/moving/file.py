"""The file that carries state: a header, then a line for each row, in the tables' own order.

A line is ``[service, table, key, row]``. The header knows how many there are and their checksum,
so a file that is torn, or was changed, is refused as a whole. Password hashes are in it: nobody
but its owner may read it.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec
from tqdm import tqdm

from store.journal.replay import Tables
from store.moving.errors import CannotMove

FORMAT = "product-store-state"
VERSION = 1
PRIVATE = 0o600
UNFINISHED = ".tmp"

States = Mapping[str, Tables]
"""The tables of each service."""
_Line = tuple[str, str, str, msgspec.Raw]


class Header(msgspec.Struct):
    format: str
    version: int
    rows: dict[str, int]  # by service
    sha256: str  # of all that follows


_header = msgspec.json.Decoder(Header)
_line = msgspec.json.Decoder(_Line)


def write(path: Path, states: States) -> Header:
    """Whole or not at all; never over another file. Raises CannotMove."""
    if path.exists():
        raise CannotMove(f"{path} is there already; name a new file.")
    counts = {service: _count(tables) for service, tables in states.items()}
    digest = hashlib.sha256()
    for line in _lines(states):
        digest.update(line)
    header = Header(FORMAT, VERSION, counts, digest.hexdigest())
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with os.fdopen(_private(unfinished), "wb") as file:
            _fill(file, header, tqdm(_lines(states), "writing", sum(counts.values()), unit=" rows"))
        unfinished.rename(path)
    except OSError as error:
        raise CannotMove(f"{path} can not be written: {error.strerror}.") from None
    return header


def read(path: Path) -> tuple[Header, States]:
    """Raises CannotMove for a file that is not whole."""
    try:
        with path.open("rb") as file:
            header = _known(file.readline(), path)
            return header, _tables(file, header, path)
    except OSError as error:
        raise CannotMove(f"{path} can not be read: {error.strerror}.") from None


def _private(path: Path) -> int:
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)


def _count(tables: Tables) -> int:
    return sum(map(len, tables.values()))


def _lines(states: States) -> Iterator[bytes]:
    for service, tables in states.items():
        for table, rows in tables.items():
            for key, row in rows.items():
                yield msgspec.json.encode((service, table, key, msgspec.Raw(row))) + b"\n"


def _fill(file: BinaryIO, header: Header, lines: Iterable[bytes]) -> None:
    file.write(msgspec.json.encode(header) + b"\n")
    file.writelines(lines)
    file.flush()
    os.fsync(file.fileno())


def _known(line: bytes, path: Path) -> Header:
    try:
        header = _header.decode(line)
    except msgspec.MsgspecError:
        raise CannotMove(f"{path} does not begin like a file of export_state.") from None
    if (header.format, header.version) != (FORMAT, VERSION):
        raise CannotMove(
            f"{path} is {header.format} {header.version}; this program reads {FORMAT} {VERSION}."
        )
    return header


def _tables(file: BinaryIO, header: Header, path: Path) -> States:
    digest = hashlib.sha256()
    states: dict[str, Tables] = {service: {} for service in header.rows}
    total = sum(header.rows.values())
    for line in tqdm(file, "reading", total, unit=" rows"):
        digest.update(line)
        # One that makes no sense has another checksum, too; that is said once for all.
        decoded = _decoded(line)
        if decoded is not None:
            service, table, key, row = decoded
            states.setdefault(service, {}).setdefault(table, {})[key] = bytes(row)
    if digest.hexdigest() != header.sha256:
        raise CannotMove(f"{path} is damaged: its checksum is another.")
    return states


def _decoded(line: bytes) -> _Line | None:
    try:
        decoded: _Line = _line.decode(line)
    except msgspec.MsgspecError:
        return None
    return decoded
