"""For Django: an app whose models are the tables of carts on Cassandra."""

from django import apps


class CartTables(apps.AppConfig):
    name = "carts.cassandra"
    label = "cart_tables"
