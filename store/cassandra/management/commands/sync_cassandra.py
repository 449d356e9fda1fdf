"""django-cassandra-engine's command, making what the services themselves make at their start.

Its own would make every keyspace with NetworkTopologyStrategy.
"""

from importlib import import_module

from django.conf import settings
from django.core.management.base import CommandError
from django_cassandra_engine.management.commands import sync_cassandra

from store.cassandra.connection import dial, hang_up
from store.cassandra.faults import reason_of


class Command(sync_cassandra.Command):
    help = "Makes the keyspace, and the tables and columns that are missing in it."

    def sync(self, alias: str) -> None:
        """``alias``: the service, as it stands in DATABASES."""
        tables = import_module(f"{alias}.cassandra.models").TABLES
        own = f"sync_cassandra of {alias}"
        try:
            dial(settings.DATABASES[alias], tables, own)
        except Exception as error:
            raise CommandError(f"Cassandra cannot be used: {reason_of(error)}.") from None
        finally:
            hang_up(own)
        names = ", ".join(table.__table_name__ for table in tables)
        self.stdout.write(f"{alias} has its tables: {names}")
