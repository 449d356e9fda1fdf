"""The state of the stopped shop as a file."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from store.moving import house
from store.moving.errors import CannotMove


class Command(BaseCommand):
    help = "Writes the state of the stopped services, from where the settings say, into a file."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", action="append", choices=settings.SERVICES)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            services = options["service"] or settings.SERVICES
            header = asyncio.run(house.export(options["file"], services))
        except CannotMove as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{options['file']}: {house.told(header, services)}. Password hashes are in it."
        )
