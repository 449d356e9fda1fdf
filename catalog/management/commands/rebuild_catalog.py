"""Takes over what other programs wrote into the products of the Cassandra keyspace."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

if TYPE_CHECKING:
    from store.cassandra.bridge import Bridge

NO_CASSANDRA = "CASSANDRA_HOST is not set: only a catalogue on Cassandra can be rebuilt."
SHOWN = 20


class Command(BaseCommand):
    help = "Makes rows that other programs wrote appear in lists, counts and stock."

    def handle(self, *args: Any, **options: Any) -> None:
        if "catalog" not in settings.DATABASES:
            raise CommandError(NO_CASSANDRA)
        from catalog.cassandra.schema import CATALOG
        from store.cassandra.command import on_cassandra

        on_cassandra(CATALOG, self._rebuild)

    async def _rebuild(self, bridge: "Bridge") -> int:
        from catalog.cassandra.changes import Changes
        from catalog.cassandra.rebuild import PARTS, Rebuild

        rebuild = Rebuild(bridge, Changes.writing(bridge))
        done, products, refused = await rebuild.done(), 0, 0
        with tqdm(total=PARTS, initial=done, unit=" parts", file=self.stderr) as progress:
            async for part in rebuild.parts(done=done):
                progress.update()
                products += part.products
                for text in part.refused[: max(0, SHOWN - refused)]:
                    self.stdout.write(text)
                refused += len(part.refused)
        self.stdout.write(
            f"{products} products found, {refused} rows refused;"
            " running catalogs read them anew within seconds."
        )
        return 0
