"""What the catalogue has on Cassandra."""

from catalog.cassandra.models import TABLES
from catalog.cassandra.statements import STATEMENTS
from store.cassandra.schema import Schema

CATALOG = Schema("catalog", TABLES, STATEMENTS, trial=("start_over", ["nothing"]))
