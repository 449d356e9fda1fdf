"""What carts has on Cassandra."""

from carts.cassandra.models import TABLES
from carts.cassandra.statements import STATEMENTS
from store.cassandra.schema import Schema

CARTS = Schema("carts", TABLES, STATEMENTS, trial=("empty_cart", [0, -1, "nobody"]))
