"""django-cassandra-engine's command, with the keyspace as the settings say.

Its driver would make every keyspace with NetworkTopologyStrategy.
"""

from typing import Any

from django.db import connections
from django_cassandra_engine.management.commands import sync_cassandra

from catalog.cassandra.connection import make_keyspace


class Command(sync_cassandra.Command):
    def sync(self, alias: str) -> Any:
        wrapper = connections[alias]
        wrapper.connect()
        make_keyspace(wrapper.connection.session, wrapper.settings_dict)
        return super().sync(alias)
