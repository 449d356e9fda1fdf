"""For Django: the command that makes the tables of all services."""

from django import apps


class CassandraConfig(apps.AppConfig):
    name = "store.cassandra"
