"""What orders has on Cassandra."""

from orders.cassandra.models import TABLES
from orders.cassandra.statements import STATEMENTS
from store.cassandra.schema import Schema

ORDERS = Schema("orders", TABLES, STATEMENTS, trial=("drop_bucket", ["none", 0]))
