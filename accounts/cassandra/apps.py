"""For Django: an app whose models are the tables of accounts on Cassandra."""

from django import apps


class AccountsTables(apps.AppConfig):
    name = "accounts.cassandra"
    label = "accounts_tables"
