"""How a journal looks on disk: a header line, then frames, each with its length and checksum.

A frame is what one write put there: a JSON array of records. A record is all that one change of
the store changed, as an array of ``[table, key, value]``; null in place of a value takes the row
away. Applied in order, on top of each other, they make the tables.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from struct import Struct
from typing import BinaryIO

import msgspec

VERSION = 1
HEADER_SIZE = 96
MAGIC = b"\xf1JRN"
# Magic, the payload's length, the position up to which the file was safe on the disk when this
# frame was written, and the checksum of the two and the payload.
_FRAME = Struct("<4sIQI")
_CHECKED = Struct("<IQ")
FRAME_SIZE = _FRAME.size
DELETED = b"null"

Change = tuple[str, object, object]
"""Table, key (a string or a UUID) and value (anything msgspec can encode); None deletes."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_frames = msgspec.json.Decoder(list[list[tuple[str, str, msgspec.Raw]]])


class Kind(StrEnum):
    LOG = "log"
    SNAPSHOT = "snapshot"


class BadHeader(Exception):
    """This is no file of ours, or it is damaged."""


@dataclass(frozen=True, slots=True)
class Header:
    service: str
    kind: Kind
    number: int
    version: int = VERSION

    def encoded(self) -> bytes:
        text = f"product-store-journal {self.version} {self.service} {self.kind} {self.number:08d} "
        words = text.encode().ljust(HEADER_SIZE - 9)
        return b"%b%08x\n" % (words, zlib.crc32(words))

    @classmethod
    def decoded(cls, line: bytes) -> "Header":
        """Raises BadHeader."""
        try:
            _, version, service, kind, number, checksum = line.decode("ascii").split()
            header = cls(service, Kind(kind), int(number), int(version))
            is_whole = int(checksum, 16) == zlib.crc32(line[: HEADER_SIZE - 9])
        except ValueError:
            raise BadHeader from None
        if not is_whole or len(line) != HEADER_SIZE:
            raise BadHeader
        return header


def encode_record(changes: Sequence[Change]) -> bytes:
    return _encoder.encode(changes)


def payload_of(records: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(records) + b"]"


def records_in(payload: bytes) -> list[list[tuple[str, str, msgspec.Raw]]]:
    """Raises msgspec.MsgspecError."""
    return _frames.decode(payload)


def frame(payload: bytes, *, synced: int) -> bytes:
    """``synced``: the position up to which the file is known to be safe on the disk."""
    head = _CHECKED.pack(len(payload), synced)
    checksum = zlib.crc32(payload, zlib.crc32(head))
    return _FRAME.pack(MAGIC, len(payload), synced, checksum) + payload


def next_frame(file: BinaryIO, *, most: int) -> tuple[bytes, int] | None:
    """The payload and the ``synced`` of the frame at the file's position, or None for no frame.

    ``most``: how many bytes there are.
    """
    head = file.read(FRAME_SIZE)
    if len(head) < FRAME_SIZE:
        return None
    magic, length, synced, checksum = _FRAME.unpack(head)
    if magic != MAGIC or length > most - FRAME_SIZE:
        return None
    payload = file.read(length)
    if zlib.crc32(payload, zlib.crc32(head[4:16])) != checksum:
        return None
    return payload, synced


def frames_after(file: BinaryIO, position: int, size: int) -> Iterator[tuple[int, int]]:
    """Where good frames begin behind a bad one, and their ``synced``."""
    file.seek(position)
    rest = file.read()
    place = rest.find(MAGIC, 1)
    while place >= 0:
        file.seek(position + place)
        found = next_frame(file, most=size - position - place)
        if found is not None:
            yield position + place, found[1]
        place = rest.find(MAGIC, place + 1)
