"""What accounts has on Cassandra."""

from accounts.cassandra.models import TABLES
from accounts.cassandra.statements import STATEMENTS
from store.cassandra.schema import Schema

ACCOUNTS = Schema("accounts", TABLES, STATEMENTS, trial=("forgive_guesses", ["nothing"]))
