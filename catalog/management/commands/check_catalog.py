"""Compares the tables of the catalogue on Cassandra with each other."""

import sys
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from store.tasks import Tasks

if TYPE_CHECKING:
    from store.cassandra.bridge import Bridge

NO_CASSANDRA = "CASSANDRA_HOST is not set: the catalogue in memory has nothing to compare."


class Command(BaseCommand):
    help = "Says what differs between the tables of the catalogue; status 1 when something does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what can be mended")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        if "catalog" not in settings.DATABASES:
            raise CommandError(NO_CASSANDRA)
        from catalog.cassandra.schema import CATALOG
        from store.cassandra.command import on_cassandra

        if on_cassandra(CATALOG, lambda bridge: self._check(bridge, is_repairing=repair)):
            sys.exit(1)

    async def _check(self, bridge: "Bridge", *, is_repairing: bool) -> int:
        """How many differences are left."""
        from catalog.cassandra.audit import RANGES, Audit
        from store.cassandra.patience import patiently

        products = books = mended = left = 0
        tasks = Tasks()
        with tqdm(total=RANGES, unit=" parts", file=self.stderr) as progress:
            async for tally in Audit(bridge, tasks).parts():
                progress.update()
                products, books = products + tally.products, books + tally.books
                for difference in tally.differences:
                    self.stdout.write(difference.text)
                    if is_repairing and difference.mend is not None:
                        await patiently(difference.mend)
                        mended += 1
                    else:
                        left += 1
        await tasks.close(seconds=5)
        self.stdout.write(
            f"{products} products and {books} books looked at: {left} differences"
            f" left, {mended} mended."
        )
        return left
