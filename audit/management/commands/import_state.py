"""The state of a shop out of a file."""

from collections.abc import Sequence
from pathlib import Path

from store.moving import house
from store.moving.command import MovingCommand


class Command(MovingCommand):
    help = "Puts what export_state wrote where the settings say; there must be nothing yet."

    async def move(self, file: Path, services: Sequence[str]) -> str:
        header = await house.load(file, services)
        return f"{house.told(header, services)} are there. Start the shop and run audit."
