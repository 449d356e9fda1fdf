"""The state of the stopped shop as a file."""

from collections.abc import Sequence
from pathlib import Path

from store.moving import house
from store.moving.command import MovingCommand


class Command(MovingCommand):
    help = "Writes the state of the stopped services, from where the settings say, into a file."

    async def move(self, file: Path, services: Sequence[str]) -> str:
        header = await house.export(file, services)
        return f"{file}: {house.told(header, services)}. Password hashes are in it."
