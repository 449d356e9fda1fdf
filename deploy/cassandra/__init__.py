"""Apache Cassandra on this machine without containers: ``python -m deploy.cassandra``."""
