"""For Django: an app whose models are the tables of orders on Cassandra."""

from django import apps


class OrdersTables(apps.AppConfig):
    name = "orders.cassandra"
    label = "orders_tables"
