"""For Django: an app whose models are the tables of the catalogue on Cassandra."""

from django import apps


class CatalogTables(apps.AppConfig):
    name = "catalog.cassandra"
    label = "catalog_tables"
