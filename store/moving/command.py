"""What export_state and import_state have in common."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from store.moving.errors import CannotMove


class MovingCommand(BaseCommand):
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", action="append", choices=settings.SERVICES)

    def handle(self, *args: Any, **options: Any) -> None:
        services = options["service"] or settings.SERVICES
        try:
            said = asyncio.run(self.move(options["file"], services))
        except CannotMove as error:
            raise CommandError(str(error)) from None
        self.stdout.write(said)

    async def move(self, file: Path, services: Sequence[str]) -> str:
        """What to say of it. Raises CannotMove."""
        raise NotImplementedError
