"""The state of a shop out of a file."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from store.moving import house
from store.moving.errors import CannotMove


class Command(BaseCommand):
    help = "Puts what export_state wrote where the settings say; there must be nothing yet."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", action="append", choices=settings.SERVICES)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            services = options["service"] or settings.SERVICES
            header = asyncio.run(house.load(options["file"], services))
        except CannotMove as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{house.told(header, services)} are there. Start the shop and run audit."
        )
